"""Room for a rejection is reserved before anything is typed, and given back by whatever ends the attempt."""

import asyncio
import logging
from dataclasses import dataclass

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import Delivery
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.rejections import Concluded, Rejections, ReserveAnswer
from captchad.broker.session_cipher import SessionCipher
from captchad.config.settings import RedisSection
from captchad.domain.errors import AttemptFailed, BrokerUnavailable, TaskErrorCode
from captchad.domain.page import Fill, FormField
from captchad.domain.target import Target
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.solving.answer_permits import ROOM_WAIT_SECONDS, AnswerPermits
from captchad.solving.attempt import Attempt, StageTimes
from captchad.solving.permission import LeaseLapsed, NoRoom
from captchad.telemetry.metrics import Metrics
from tests.patience import until
from tests.permits import permit_any

SITE = Target("login.example", max_rejections_per_hour=2)
PASSWORD = (FormField("#password", value="guess"),)


class ShortClock(Clock):
    """Waits are over at once, and take their time by this clock."""

    def __init__(self) -> None:
        self.slept_seconds = 0.0

    def monotonic_seconds(self) -> float:
        return self.slept_seconds

    async def sleep(self, seconds: float) -> None:
        self.slept_seconds += seconds
        await asyncio.sleep(0)


def begin(number: int = 1, fill: Fill | None = None) -> Attempt:
    request = TaskRequest(SITE.host, url="http://login.example/", fill=fill or Fill("#code", rejected="#no"))
    delivery = Delivery(f"task_{number}", 0, "a", 1, request, queued_ms=0.0, remaining_seconds=60.0)
    return Attempt(delivery, SITE, Deadline(60.0, Clock()), StageTimes(0.0, Clock()))


def permits_for(rejections: Rejections, clock: Clock | None = None) -> AnswerPermits:
    return AnswerPermits(permit_any, rejections, Metrics("worker", "w", "0"), clock or Clock())


@pytest.fixture
def permits(broker: Broker) -> AnswerPermits:
    return permits_for(Rejections(broker, SessionCipher("k" * 32)))


async def count_room(broker: Broker) -> tuple[int, int]:
    """Return how many rejections there are, and how many answers on their way."""
    keys = TargetKeys(SITE.host)
    seconds, _ = await broker.client.time()
    now_ms = (seconds + 1) * 1000
    rejected = await broker.client.zcount(keys.rejections, "-inf", now_ms)
    return rejected, await broker.client.zcard(keys.rejections) - rejected


@pytest.mark.parametrize(
    ("fill", "verdicts", "rejected"),
    [
        (Fill("#code", rejected="#no"), [], 0),
        (Fill("#code", rejected="#no"), [False, None], 0),
        (Fill("#code", rejected="#no"), [False, True], 0),
        (Fill("#code", rejected="#no"), [False, "open"], 1),
        (Fill("#code", fields=PASSWORD), [False, False], 1),
        (Fill("#code", fields=PASSWORD), [False, True], 0),
        (Fill("#code", fields=PASSWORD), [None], 0),
        (Fill("#code", fields=PASSWORD), ["open"], 1),
        (Fill("#code"), [False, "open"], 0),
    ],
)
async def test_what_an_attempt_leaves_behind(
    fill: Fill, verdicts: list[bool | str | None], rejected: int, broker: Broker, permits: AnswerPermits
) -> None:
    attempt = begin(fill=fill)
    await permits.reserve(attempt)
    for verdict in verdicts:
        await permits.reserve(attempt)
        await permits.permit(attempt)
        if not isinstance(verdict, str):
            attempt.note_verdict(verdict)
    assert await count_room(broker) == (0, int(attempt.may_be_rejected))
    permits.conclude(attempt)
    await permits.drain()
    assert await count_room(broker) == (rejected, 0)


async def test_who_finds_no_room_waits_until_another_answer_is_judged(broker: Broker, permits: AnswerPermits) -> None:
    first, second, third = begin(1), begin(2), begin(3)
    await permits.reserve(first)
    await permits.reserve(second)
    waiting = asyncio.ensure_future(permits.reserve(third))
    await asyncio.sleep(0)
    assert not waiting.done()
    permits.conclude(first)
    await waiting
    assert await count_room(broker) == (0, 2)


async def test_who_finds_no_room_for_long_gives_up_its_page(broker: Broker) -> None:
    clock = ShortClock()
    permits = permits_for(Rejections(broker), clock)
    await permits.reserve(begin(1))
    await permits.reserve(begin(2))
    late = begin(3)
    with pytest.raises(NoRoom):
        await permits.reserve(late)
    assert clock.slept_seconds >= ROOM_WAIT_SECONDS
    permits.conclude(late)
    await permits.drain()
    assert await count_room(broker) == (0, 2)


async def test_the_rejection_that_closes_fill_is_logged_once(
    broker: Broker, permits: AnswerPermits, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(SITE.max_rejections_per_hour):
        attempt = begin(number)
        await permits.reserve(attempt)
        await permits.permit(attempt)
        permits.conclude(attempt)
        await permits.drain()
    for number in (8, 9):
        with pytest.raises(AttemptFailed, match=r"fill is closed at login\.example") as failed:
            await permits.reserve(begin(number))
        assert failed.value.task_error_code is TaskErrorCode.FORM_REJECTED
    [line] = [record.getMessage() for record in caplog.records]
    assert "captchad targets reopen login.example" in line


async def test_nothing_is_typed_where_redis_does_not_answer() -> None:
    away = permits_for(Rejections(Broker(RedisSection(), "away")))
    with pytest.raises(LeaseLapsed):
        await away.reserve(begin())


@dataclass
class SilentOnce(Rejections):
    """A Redis that does not answer at first."""

    refusals: int = 1
    told: Concluded | None = None

    async def reserve(self, delivery: Delivery, target: Target, within_seconds: float) -> ReserveAnswer:
        return "reserved"

    async def conclude(self, concluded: Concluded) -> bool:
        if self.refusals:
            self.refusals -= 1
            raise BrokerUnavailable("Redis does not answer")
        self.told = concluded
        return False


async def test_what_could_not_be_told_is_told_once_redis_is_back() -> None:
    rejections = SilentOnce()
    permits, attempt = permits_for(rejections), begin()
    await permits.reserve(attempt)
    permits.conclude(attempt)
    await permits.drain()
    assert rejections.told is None
    running = asyncio.ensure_future(permits.run())

    async def is_told() -> bool:
        return rejections.told is not None

    await until(is_told)
    running.cancel()


async def test_an_attempt_that_is_cancelled_while_it_asks_gives_its_room_back(
    broker: Broker, permits: AnswerPermits
) -> None:
    attempt = begin()
    asking = asyncio.ensure_future(permits.reserve(attempt))
    await asyncio.sleep(0)
    asking.cancel()
    permits.conclude(attempt)
    await permits.drain()
    assert await count_room(broker) == (0, 0)
