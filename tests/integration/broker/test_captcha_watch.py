"""What visits showed is counted once, by the active scheduler alone, and told to whoever listens."""

import asyncio

import orjson
import pytest

from captchad.broker import captcha_watch
from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import LeaderLease
from captchad.broker.redis_keys import CAPTCHA_CHANGES, CAPTCHA_OBSERVATIONS, CAPTCHA_STATES, CAPTCHAS_SEEN
from captchad.domain.captcha_drift import LEARNING_VISITS, CaptchaObservation, CaptchaState, DriftSignal
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.scheduling.captcha_drift_watch import CaptchaDriftWatch
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics
from tests.integration.protocol import TARGET, Partition
from tests.patience import PATIENCE_SECONDS, until

SEEN = CaptchaObservation(TARGET, 160, 60, 0.95, "model", True)
LARGE = CaptchaObservation(TARGET, 200, 80, 0.95, "model", True)
STATE = CaptchaState(visits=1, recognisers=("model",))
LEASE_SECONDS = 3600.0


@pytest.fixture
def watch(broker: Broker) -> CaptchaWatch:
    return CaptchaWatch(broker)


async def lead(broker: Broker, consumer: str = "s.1") -> None:
    assert await LeaderLease(broker, consumer, LEASE_SECONDS).hold()


async def count_waiting(broker: Broker) -> int:
    return int(await broker.client.xlen(CAPTCHA_OBSERVATIONS))


async def test_an_observation_is_read_as_it_was_added_and_goes_when_it_is_folded_in(
    broker: Broker, watch: CaptchaWatch
) -> None:
    await lead(broker)
    await watch.add([SEEN, LARGE])
    observed = await watch.read_observed()
    assert (observed.observations, observed.states) == ((SEEN, LARGE), {TARGET: CaptchaState()})
    assert await watch.fold("s.1", observed, {TARGET: STATE}, set())
    assert (await watch.read_observed()).ids == ()
    [(host, captcha)] = (await watch.read_all()).items()
    assert (host, captcha.visits, captcha.is_learning, captcha.changed_ms) == (TARGET, 1, True, None)


async def test_observations_are_folded_in_once_also_where_the_answer_was_lost(
    broker: Broker, watch: CaptchaWatch
) -> None:
    await lead(broker)
    await watch.add([SEEN])
    observed = await watch.read_observed()
    assert await watch.fold("s.1", observed, {TARGET: STATE}, set())
    assert not await watch.fold("s.1", observed, {TARGET: CaptchaState()}, {TARGET})
    await watch.add([SEEN])
    assert not await watch.fold("s.1", observed, {TARGET: CaptchaState()}, {TARGET})
    assert (await watch.read_observed()).states == {TARGET: STATE}
    assert await broker.client.hgetall(CAPTCHA_CHANGES) == {}


async def test_a_scheduler_that_lost_its_lease_folds_nothing_in(broker: Broker, watch: CaptchaWatch) -> None:
    await lead(broker, "s.2")
    await watch.add([SEEN])
    observed = await watch.read_observed()
    assert not await watch.fold("s.1", observed, {TARGET: STATE}, set())
    assert await count_waiting(broker) == 1
    assert await watch.fold("s.2", observed, {TARGET: STATE}, set())


async def test_what_waits_is_bounded_where_no_scheduler_runs(
    broker: Broker, watch: CaptchaWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captcha_watch, "OBSERVATIONS_LIMIT", 3)
    await watch.add([SEEN, SEEN])
    await watch.add([LARGE, LARGE])
    assert (await watch.read_observed()).observations == (SEEN, SEEN, LARGE)


async def test_a_change_is_told_with_its_time_and_kept(
    partition: Partition, watch: CaptchaWatch, broker: Broker
) -> None:
    work, feed = TaskSet("test"), EventFeed(broker, partition.store)
    work.spawn(feed.run(), "feed")
    await until(lambda: _is_ready(feed))
    await lead(broker)
    await watch.add([SEEN])
    observed = await watch.read_observed()
    changed = CaptchaState(changes=1, signals=(DriftSignal.SIZE,))
    before_ms = await partition.read_time_ms()
    async with feed.subscription() as events:
        await watch.fold("s.1", observed, {TARGET: changed}, {TARGET})
        async with asyncio.timeout(PATIENCE_SECONDS):
            event = await anext(one async for one in events if one.kind == "target")
    captcha = (await watch.read_all())[TARGET]
    assert (captcha.changes, captcha.signals) == (1, (DriftSignal.SIZE,))
    assert captcha.changed_ms is not None
    assert captcha.changed_ms >= before_ms - 1
    assert captcha.changed_seconds is not None
    assert event.payload == {
        "target": TARGET,
        "change": "captcha_changed",
        "signals": ["size"],
        "at_ms": captcha.changed_ms,
    }
    await work.cancel_all()


async def _is_ready(feed: EventFeed) -> bool:
    return feed.health().is_ready


async def test_a_target_that_nobody_visits_is_forgotten(broker: Broker, watch: CaptchaWatch) -> None:
    await lead(broker)
    await watch.add([SEEN])
    await watch.fold("s.1", await watch.read_observed(), {TARGET: STATE, "old.example": STATE}, {"old.example"})
    await broker.client.zadd(CAPTCHAS_SEEN, {"old.example": 1})
    await watch.add([SEEN])
    await watch.fold("s.1", await watch.read_observed(), {TARGET: STATE}, set())
    assert list(await watch.read_all()) == [TARGET]
    assert await broker.client.hgetall(CAPTCHA_CHANGES) == {}


@pytest.mark.parametrize("stored", [b"{", b"[]", b'{"visits": "many"}', b'{"member_of_a_newer_release": 1}'])
async def test_a_state_that_cannot_be_read_begins_anew(broker: Broker, watch: CaptchaWatch, stored: bytes) -> None:
    await broker.client.hset(CAPTCHA_STATES, TARGET, stored)
    await watch.add([SEEN])
    assert (await watch.read_observed()).states == {TARGET: CaptchaState()}
    assert (await watch.read_all())[TARGET].visits == 0


async def test_an_observation_that_cannot_be_read_holds_up_no_other(broker: Broker, watch: CaptchaWatch) -> None:
    await lead(broker)
    await broker.client.xadd(CAPTCHA_OBSERVATIONS, {"seen": orjson.dumps({"target": TARGET, "colours": 3})})
    await watch.add([SEEN])
    observed = await watch.read_observed()
    assert (len(observed.ids), observed.observations) == (2, (SEEN,))
    await watch.fold("s.1", observed, {TARGET: STATE}, set())
    assert await count_waiting(broker) == 0


async def test_the_scheduler_goes_on_where_another_stopped(broker: Broker, watch: CaptchaWatch) -> None:
    """The baseline survives a change of the active scheduler, and the change is found by the second."""

    async def run_scheduler(consumer: str, visits: list[CaptchaObservation]) -> None:
        work = TaskSet("test")
        lease = LeaderLease(broker, consumer, LEASE_SECONDS)
        leadership = Leadership(lease, Clock(), Metrics("scheduler", "s", "0"))
        await leadership.start()
        await watch.add(visits)
        work.spawn(CaptchaDriftWatch(watch, leadership, consumer).run(), "drift")

        async def is_done() -> bool:
            return await count_waiting(broker) == 0

        await until(is_done)
        await work.cancel_all()
        await leadership.close()

    await run_scheduler("s.1", [SEEN] * (LEARNING_VISITS + 20))
    assert (await watch.read_all())[TARGET].changes == 0
    await run_scheduler("s.2", [LARGE] * 50)
    assert (await watch.read_all())[TARGET].changes == 1
