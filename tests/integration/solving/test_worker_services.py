"""A worker's services against a real Redis, with attempts that do as the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import Consumer, Delivery, Settlement
from captchad.broker.events import EventFeed
from captchad.broker.leases import TASK_LEASE_SECONDS
from captchad.broker.tasks import TaskStore
from captchad.config.settings import RedisSection
from captchad.domain.task import TaskStatus
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.solving.attempts import Attempts
from captchad.solving.cancellation import CancellationWatch
from captchad.solving.delivery_loop import DeliveryLoop
from captchad.solving.drain import AttemptDrain
from captchad.solving.lease_keeper import LeaseKeeper
from captchad.solving.settlement import Settler
from captchad.telemetry.metrics import Metrics
from tests.integration.protocol import DEAD_LETTER_LIMITS, LIMITS, Partition, completed
from tests.patience import until
from tests.redis_server import RedisServer

SLOTS = 2


class SteeredClock(Clock):
    """A clock that a test can move on."""

    def __init__(self) -> None:
        self.skipped_seconds = 0.0

    def monotonic_seconds(self) -> float:
        return super().monotonic_seconds() + self.skipped_seconds


@dataclass
class Worker:
    """A worker whose attempts wait until the test lets them end."""

    broker: Broker
    name: str = "worker"
    drain_seconds: float = 0.05
    clock: SteeredClock = field(default_factory=SteeredClock)
    solving: list[Delivery] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    serves: asyncio.Event = field(default_factory=asyncio.Event)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        metrics = Metrics("worker", self.name, "0")
        self.consumer = Consumer(
            self.broker, self.broker.partitions[0], self.name, f"{self.name}.1", DEAD_LETTER_LIMITS
        )
        self.settler = Settler(self.broker, [self.consumer], metrics)
        self.attempts = Attempts(SLOTS, self._solve, self.settler.put, self.clock)
        self.settler.on_settled(self.attempts.forget)
        self.leases = LeaseKeeper([self.consumer], self.attempts, self.clock, metrics)
        self.loop = DeliveryLoop(self.broker, self.consumer, self.attempts, self.clock, self.serves.wait)
        self.drain = AttemptDrain(self.attempts, self.settler, self.drain_seconds)
        self.work = TaskSet(self.name)

    async def _solve(self, delivery: Delivery) -> Settlement:
        self.solving.append(delivery)
        self.most_at_once = max(self.most_at_once, self.attempts.busy)
        self.began.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.broken_off.append(delivery.task_id)
            raise
        return completed(delivery, self.name)

    def start(self, *, serves: bool = True) -> None:
        if serves:
            self.serves.set()
        self.work.spawn(self.settler.run(), "settler")
        self.work.spawn(self.loop.run(), "loop")

    def start_leases(self) -> None:
        self.work.spawn(self.leases.run(), "leases")


MakeWorker = Callable[..., Worker]


@pytest.fixture
async def make_worker(broker: Broker) -> AsyncIterator[MakeWorker]:
    workers: list[Worker] = []

    def make(**options: object) -> Worker:
        workers.append(Worker(**({"broker": broker} | options)))  # type: ignore[arg-type]
        return workers[-1]

    yield make
    for worker in workers:
        await worker.work.cancel_all()


async def all_ended(partition: Partition, task_ids: list[str]) -> bool:
    return all([(await partition.store.read(task_id)).status.is_final for task_id in task_ids])


async def test_a_worker_never_works_on_more_than_its_slots_and_ends_everything(
    partition: Partition, make_worker: MakeWorker
) -> None:
    ids = [await partition.submit() for _ in range(9)]
    worker = make_worker()
    worker.may_end.set()
    worker.start()
    await until(lambda: all_ended(partition, ids))
    assert worker.most_at_once <= SLOTS
    assert worker.settler.tasks_done == 9
    assert worker.attempts.unsettled == ()
    assert await partition.count_entries() == 0


async def test_two_workers_share_the_tasks_and_none_runs_twice(partition: Partition, make_worker: MakeWorker) -> None:
    ids = [await partition.submit() for _ in range(40)]
    workers = [make_worker(name=name) for name in ("a", "b")]
    for worker in workers:
        worker.may_end.set()
        worker.start()
    await until(lambda: all_ended(partition, ids))
    ran = [delivery.task_id for worker in workers for delivery in worker.solving]
    assert sorted(ran) == sorted(ids)


async def test_a_worker_that_has_no_browser_leaves_the_tasks_to_others(
    partition: Partition, make_worker: MakeWorker
) -> None:
    task_id = await partition.submit()
    worker = make_worker()
    worker.may_end.set()
    worker.start(serves=False)
    await asyncio.sleep(0.2)
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts) == (TaskStatus.PENDING, 0)
    worker.serves.set()
    await until(lambda: all_ended(partition, [task_id]))


async def test_an_attempt_whose_task_was_taken_away_is_broken_off_and_writes_nothing(
    partition: Partition, make_worker: MakeWorker
) -> None:
    task_id = await partition.submit()
    zombie = make_worker(name="zombie")
    zombie.start()
    await zombie.began.wait()
    await zombie.loop.drain()
    await partition.lose_workers()
    rescuer = partition.make_consumer("rescuer")
    [delivery] = await rescuer.take(1)
    zombie.start_leases()
    await until(_is(lambda: zombie.broken_off == [task_id]))
    await rescuer.settle([completed(delivery, "rescuer")])
    record = await partition.store.read(task_id)
    assert record.result is not None
    assert record.result.captcha_text == "rescuer"
    assert zombie.attempts.busy == 0


async def test_a_late_outcome_is_refused_and_forgotten(partition: Partition, make_worker: MakeWorker) -> None:
    task_id = await partition.submit()
    zombie = make_worker(name="zombie")
    zombie.start()
    await zombie.began.wait()
    await zombie.loop.drain()
    await partition.lose_workers()
    zombie.may_end.set()
    await until(_is(lambda: zombie.attempts.unsettled == ()))
    assert (await partition.store.read(task_id)).status is TaskStatus.PENDING


async def test_a_cancelled_task_is_broken_off_by_push(partition: Partition, make_worker: MakeWorker) -> None:
    worker = make_worker()
    feed = EventFeed(partition.broker, partition.store)
    worker.work.spawn(feed.run(), "feed")
    worker.work.spawn(CancellationWatch(feed, worker.attempts).run(), "watch")
    task_id = await partition.submit()
    await feed.wait_final(task_id, 0.01)
    worker.start()
    await worker.began.wait()
    await partition.store.cancel(task_id)
    await until(_is(lambda: worker.broken_off == [task_id] and worker.attempts.busy == 0))


async def test_draining_hands_back_what_is_not_done_in_time_at_no_cost(
    partition: Partition, make_worker: MakeWorker
) -> None:
    task_id = await partition.submit(retry_count=0)
    worker = make_worker()
    worker.start()
    await worker.began.wait()
    await worker.loop.drain()
    await worker.drain.drain()
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts) == (TaskStatus.PENDING, 0)
    assert worker.attempts.unsettled == ()


async def test_draining_lets_attempts_end_that_end_in_time(partition: Partition, make_worker: MakeWorker) -> None:
    task_id = await partition.submit()
    worker = make_worker(drain_seconds=30)
    worker.start()
    await worker.began.wait()
    await worker.loop.drain()
    worker.may_end.set()
    await worker.drain.drain()
    assert (await partition.store.read(task_id)).status is TaskStatus.COMPLETED


async def test_an_outcome_waits_for_redis_to_come_back(own_redis: RedisServer) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    store = TaskStore(broker, LIMITS)
    partition = Partition(broker, store, None)  # type: ignore[arg-type]
    task_id = await partition.submit()
    worker = Worker(broker)
    worker.start()
    await worker.began.wait()
    own_redis.kill()
    worker.may_end.set()
    await until(_is(lambda: not broker.health().is_ready))
    own_redis.start()
    await until(lambda: all_ended(partition, [task_id]))
    assert (await store.read(task_id)).status is TaskStatus.COMPLETED
    await worker.work.cancel_all()
    await broker.close()


async def test_an_attempt_that_cannot_be_renewed_for_a_lease_is_broken_off(own_redis: RedisServer) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    partition = Partition(broker, TaskStore(broker, LIMITS), None)  # type: ignore[arg-type]
    task_id = await partition.submit(retry_count=0)
    worker = Worker(broker)
    worker.start()
    await worker.began.wait()
    own_redis.kill()
    worker.clock.skipped_seconds = TASK_LEASE_SECONDS + 1
    worker.start_leases()
    await until(_is(lambda: worker.broken_off == [task_id]))
    own_redis.start()
    # Handed back at no cost, and begun again by the same worker.
    await until(_is(lambda: len(worker.solving) == 2))
    assert worker.solving[1].attempt == 1
    await worker.work.cancel_all()
    await broker.close()


def _is(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return condition()

    return check
