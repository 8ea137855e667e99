"""Workers with their gates against a real Redis: limits hold over all of them, and what must wait goes on by itself."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Delivery, Settlement
from captchad.broker.leases import TASK_LEASE_SECONDS
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.target_limits import TargetLimits
from captchad.config.settings import RedisSection
from captchad.domain.errors import TaskErrorCode
from captchad.domain.proof import NOTHING_KNOWN
from captchad.domain.target import Target
from captchad.domain.task import TaskError, TaskStatus
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.solving.attempts import Abandonment, Attempts
from captchad.solving.delivery_loop import DeliveryLoop
from captchad.solving.settlement import Settler
from captchad.solving.target_gate import TargetGate
from captchad.telemetry.metrics import Metrics
from tests.integration.protocol import TARGET, Partition, completed
from tests.patience import until, until_true

SLOTS = 4
OTHER = Target("other.example")
PAGE_SECONDS = 0.02
RETRY_AFTER_SECONDS = 600.0
TOO_MANY = TaskError(TaskErrorCode.HTTP_ERROR, "the site answered 429", is_retryable=True)


@dataclass
class Site:
    """What happens on a target's pages; it notes how many are open at once, over all workers."""

    page_seconds: float = PAGE_SECONDS
    refusals_left: int = 0
    open: int = 0
    most_open: int = 0
    visits: list[str] = field(default_factory=list)
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def solve(self, delivery: Delivery, _: Target) -> Settlement:
        if delivery.request.target != TARGET:
            return completed(delivery)
        self.visits.append(delivery.task_id)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.seen.set()
        try:
            await asyncio.sleep(self.page_seconds)
        finally:
            self.open -= 1
        if self.refusals_left:
            self.refusals_left -= 1
            return Settlement(
                delivery, AttemptOutcome.RETRYABLE, error=TOO_MANY, retry_after_seconds=RETRY_AFTER_SECONDS
            )
        return completed(delivery)


class Worker:
    """A worker whose pages are the test's."""

    def __init__(self, partition: Partition, name: str, site: Site, target: Target) -> None:
        self.targets = [target, OTHER]
        self.metrics = Metrics("worker", name, "0")
        consumer = partition.make_consumer(name)
        limits = TargetLimits(partition.broker, f"{name}.1", TASK_LEASE_SECONDS)
        self.settler = Settler(partition.broker, [consumer], self.metrics)
        self.gate = TargetGate(limits, site.solve, lambda: self.targets, lambda: NOTHING_KNOWN, self.metrics, Clock())
        self.attempts = Attempts(SLOTS, self.gate.solve, self.settler.put, Clock())
        self.settler.on_settled(self.attempts.forget)
        self.work = TaskSet(name)
        loop = DeliveryLoop(partition.broker, consumer, self.attempts, Clock(), lambda: asyncio.sleep(0))
        for service in (self.gate, loop):
            self.work.spawn(service.run(), service.name)

    def start_settling(self) -> None:
        self.work.spawn(self.settler.run(), self.settler.name)

    @property
    def deferrals(self) -> Counter[str]:
        lines = self.metrics.render()[0].decode().splitlines()
        found = [line for line in lines if line.startswith("captchad_deferrals_total{")]
        return Counter({line.split('"')[1]: int(float(line.split()[-1])) for line in found})


@dataclass
class Fleet:
    """Workers, and the scheduler's calls of the lines."""

    partition: Partition
    work: TaskSet = field(default_factory=lambda: TaskSet("fleet"))
    workers: list[Worker] = field(default_factory=list)

    def start(self, site: Site, target: Target, *names: str) -> None:
        started = [Worker(self.partition, name, site, target) for name in names]
        for worker in started:
            worker.start_settling()
        self.workers += started

    async def call_deferred(self) -> None:
        while True:
            await self.partition.housekeeping.promote_due()
            await asyncio.sleep(0.01)

    async def wait_ended(self, task_ids: list[str]) -> None:
        async def have_ended() -> bool:
            return all([(await self.partition.store.read(task_id)).status.is_final for task_id in task_ids])

        await until(have_ended)


@pytest.fixture
async def fleet(partition: Partition) -> AsyncIterator[Fleet]:
    made = Fleet(partition)
    made.work.spawn(made.call_deferred(), "calls")
    yield made
    await made.work.cancel_all()
    for worker in made.workers:
        await worker.work.cancel_all()
        await worker.gate.drain()


async def test_two_workers_keep_a_targets_bound_together_and_every_task_ends_at_its_first_attempt(
    partition: Partition, fleet: Fleet
) -> None:
    site = Site()
    ids = [await partition.submit(retry_count=0) for _ in range(40)]
    other = await partition.submit(target=OTHER.host)
    fleet.start(site, Target(TARGET, max_per_minute=1000, max_concurrent=2), "a", "b")
    await fleet.wait_ended([other])
    assert len(site.visits) < len(ids)
    await fleet.wait_ended(ids)
    assert site.most_open == 2
    records = [await partition.store.read(task_id) for task_id in ids]
    assert {(record.status, record.attempts) for record in records} == {(TaskStatus.COMPLETED, 1)}
    deferrals = fleet.workers[0].deferrals + fleet.workers[1].deferrals
    assert set(deferrals) == {"concurrency"}
    # Each free slot calls one task; nobody spins.
    assert deferrals.total() < len(ids)
    assert await partition.count_entries() == 0


async def test_what_is_beyond_the_rate_waits_without_spinning(partition: Partition, fleet: Fleet) -> None:
    site = Site(page_seconds=0)
    ids = [await partition.submit() for _ in range(30)]
    fleet.start(site, Target(TARGET, max_per_minute=5, max_concurrent=50), "a", "b")
    await fleet.wait_ended([await partition.submit(target=OTHER.host)])
    await until_true(lambda: len(site.visits) >= 5)
    await asyncio.sleep(0.3)
    assert len(site.visits) == 5
    deferrals = fleet.workers[0].deferrals + fleet.workers[1].deferrals
    assert set(deferrals) == {"rate"}
    assert deferrals.total() <= 2 * SLOTS
    waiting = [task_id for task_id in ids if task_id not in site.visits]
    records = [await partition.store.read(task_id) for task_id in waiting]
    assert {(record.status, record.attempts) for record in records} == {(TaskStatus.PENDING, 0)}
    # A higher limit, as after a reload, lets them go on at their next call.
    for worker in fleet.workers:
        worker.targets = [Target(TARGET, max_per_minute=1_000_000, max_concurrent=50), OTHER]
    await partition.make_delayed_due()
    await until_true(lambda: len(site.visits) >= 6)


async def test_no_more_is_taken_than_there_are_slots_while_word_of_the_limit_is_on_its_way(
    partition: Partition, fleet: Fleet
) -> None:
    site = Site(page_seconds=0)
    ids = [await partition.submit() for _ in range(30)]
    worker = Worker(partition, "slow", site, Target(TARGET, max_per_minute=1, max_concurrent=50))
    fleet.workers.append(worker)
    # One visit is granted, and its attempt keeps its slot like those that are deferred.
    await until_true(lambda: worker.deferrals.total() >= SLOTS - 1)
    await asyncio.sleep(0.3)
    assert worker.deferrals == {"rate": SLOTS - 1}
    worker.start_settling()
    # The slots are free again: another target's task runs, and everything else of this one waits in its line.
    await fleet.wait_ended([await partition.submit(target=OTHER.host)])
    assert worker.deferrals == {"rate": SLOTS - 1}
    records = [await partition.store.read(task_id) for task_id in ids]
    assert Counter(record.status for record in records) == {TaskStatus.COMPLETED: 1, TaskStatus.PENDING: 29}


async def test_a_kept_slot_is_free_again_when_its_task_was_taken_anew_before_word_of_it_arrived(
    partition: Partition,
) -> None:
    await partition.submit()
    [first] = await partition.make_consumer("first").take(1)
    settled: list[Settlement] = []

    async def refuse(delivery: Delivery) -> Settlement:
        return Settlement(delivery, AttemptOutcome.DEFERRED)

    attempts = Attempts(SLOTS, refuse, settled.append, Clock())
    for delivery in (first, replace(first, token="another")):
        attempts.give_back(await attempts.reserve_free() - 1)
        attempts.begin(delivery, 0.0)
        await attempts.wait_all()
    for settlement in settled:
        attempts.forget(settlement.delivery)
    assert await attempts.reserve_free() == SLOTS


async def test_a_site_that_had_enough_is_left_alone_by_every_worker(partition: Partition, fleet: Fleet) -> None:
    site = Site(refusals_left=1)
    refused = await partition.submit()
    target = Target(TARGET, max_per_minute=1000, max_concurrent=2)
    fleet.start(site, target, "a", "b")
    await site.seen.wait()

    async def is_refused() -> bool:
        return (await partition.store.read(refused)).error is not None

    await until(is_refused)
    others = [await partition.submit(retry_count=0) for _ in range(6)]
    await until_true(lambda: any(worker.deferrals["closed"] for worker in fleet.workers))
    assert site.visits == [refused]
    await partition.broker.client.delete(TargetKeys(TARGET).closed)
    for task_id in (refused, *others):
        while not (await partition.store.read(task_id)).status.is_final:
            await partition.make_delayed_due()
            await asyncio.sleep(0.01)
    assert (await partition.store.read(refused)).attempts == 2
    assert {(await partition.store.read(task_id)).attempts for task_id in others} == {1}
    assert site.visits.count(refused) == 2


async def test_a_page_that_is_broken_off_gives_its_slot_to_the_next(partition: Partition, fleet: Fleet) -> None:
    site = Site(page_seconds=60)
    target = Target(TARGET, max_per_minute=1000, max_concurrent=1)
    first = await partition.submit()
    fleet.start(site, target, "a")
    await site.seen.wait()
    second = await partition.submit()
    site.page_seconds = 0
    await partition.store.cancel(first)
    fleet.workers[0].attempts.abandon(first, Abandonment.TAKEN_AWAY)
    await fleet.wait_ended([second])
    await fleet.workers[0].gate.drain()
    assert await partition.broker.client.exists(TargetKeys(TARGET).holders) == 0


async def test_a_picture_counts_against_its_target_and_is_audited(
    partition: Partition, fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    picture = b"\x89PNG of a captcha"
    task_id = await partition.submit(picture=picture)
    with caplog.at_level(logging.INFO):
        fleet.start(Site(), Target(TARGET), "a")
        await fleet.wait_ended([task_id])
    assert f"sha256 {hashlib.sha256(picture).hexdigest()}, {len(picture)} bytes" in caplog.text
    keys = TargetKeys(TARGET)
    assert await partition.broker.client.zcard(keys.visits) == 1
    assert await partition.broker.client.exists(keys.holders) == 0


async def test_without_redis_a_task_is_handed_back_and_no_page_opens(partition: Partition) -> None:
    await partition.submit()
    [delivery] = await partition.make_consumer().take(1)
    site, metrics = Site(), Metrics("worker", "a", "0")
    away = TargetLimits(Broker(RedisSection(), "away"), "a.1", TASK_LEASE_SECONDS)
    gate = TargetGate(away, site.solve, lambda: [Target(TARGET)], lambda: NOTHING_KNOWN, metrics, Clock())
    settlement = await gate.solve(delivery)
    assert settlement.outcome is AttemptOutcome.HANDED_BACK
    assert site.visits == []


@pytest.mark.parametrize("declared", [(), (Target("unproven.example.com"),)])
async def test_a_task_out_of_scope_needs_no_permission_to_fail(
    partition: Partition, declared: tuple[Target, ...]
) -> None:
    await partition.submit(target="unproven.example.com")
    [delivery] = await partition.make_consumer().take(1)
    site = Site(page_seconds=0)
    limits = TargetLimits(partition.broker, "a.1", TASK_LEASE_SECONDS)
    gate = TargetGate(limits, site.solve, lambda: declared, lambda: NOTHING_KNOWN, Metrics("worker", "a", "0"), Clock())
    settlement = await gate.solve(replace(delivery, token="other"))
    assert settlement.outcome is AttemptOutcome.FAILED
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert site.visits == []
    assert await partition.broker.client.exists(TargetKeys("unproven.example.com").visits) == 0
