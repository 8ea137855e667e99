"""No end of a task is readable before enough replicas have it, whoever ended it and whoever died meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import Delivery, Settlement
from captchad.broker.dead_letters import DeadLetters
from captchad.broker.embedded_program import find_bundled_program
from captchad.broker.evidence import EvidencePart, EvidenceStore
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import NewTask, TaskQuery, TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.errors import AlreadyFinished, BrokerUnavailable, TaskNotFound
from captchad.domain.identifier import make_task_id
from captchad.domain.page import Evidence
from captchad.domain.task import TaskRequest, TaskStatus
from tests.integration.protocol import LIMITS, TARGET, Partition, completed, failed_for_good, retryable
from tests.replicated_redis import ReplicatedRedis


@dataclass
class Replicated:
    """A partition whose replica must acknowledge, and the replica."""

    partition: Partition
    servers: ReplicatedRedis


@pytest.fixture
async def replicated(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Replicated]:
    """A partition on a master with one replica that must acknowledge; of the program in `request.param`, if any."""
    servers = ReplicatedRedis(tmp_path, getattr(request, "param", None))
    broker = Broker(RedisSection(min_replicas_acknowledged=1), "test", url_override=servers.url)
    try:
        servers.start()
        await broker.start()
        housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
        yield Replicated(Partition(broker, TaskStore(broker, LIMITS), housekeeping), servers)
    finally:
        await broker.close()
        servers.stop()


async def take_one(partition: Partition) -> Delivery:
    [delivery] = await partition.make_consumer().take(1)
    return delivery


async def settle_without_replica(replicated: Replicated, settlement: Settlement) -> None:
    with replicated.servers.holding_replica_back(), pytest.raises(BrokerUnavailable, match="0 of 1 replicas"):
        await replicated.partition.make_consumer().settle([settlement])


async def test_an_acknowledged_outcome_is_final(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    delivery = await take_one(partition)
    assert await partition.make_consumer().settle([completed(delivery)]) == ["completed"]
    record = await partition.store.read(task_id)
    assert record.status is TaskStatus.COMPLETED
    assert record.result is not None
    assert await partition.make_consumer().settle([completed(delivery, "other")]) == ["duplicate"]
    assert await partition.store.read(task_id) == record


@pytest.mark.parametrize("make_settlement", [completed, failed_for_good])
async def test_an_end_that_no_replica_has_is_shown_as_processing(
    replicated: Replicated, make_settlement: Callable[[Delivery], Settlement]
) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    await settle_without_replica(replicated, make_settlement(await take_one(partition)))
    record = await partition.store.read(task_id)
    assert record.status is TaskStatus.PROCESSING
    assert (record.result, record.error, record.completed_ms) == (None, None, None)
    [listed] = (await partition.store.list_page(TaskQuery(status=TaskStatus.PROCESSING))).tasks
    assert listed == record
    status, totals = await Statistics(partition.broker).queue_status(), await Statistics(partition.broker).totals()
    assert (status.pending, status.processing, totals.completed, totals.failed) == (0, 1, 0, 0)


async def test_the_worker_itself_makes_it_final_when_it_writes_again(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    settlement = completed(await take_one(partition))
    await settle_without_replica(replicated, settlement)
    assert await partition.make_consumer().renew([settlement.delivery]) == ["renewed"]
    assert await partition.make_consumer().settle([settlement]) == ["completed"]
    assert (await partition.store.read(task_id)).status is TaskStatus.COMPLETED
    assert await partition.housekeeping.confirm_ends() == 0


async def test_where_the_worker_has_died_the_scheduler_does(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    await settle_without_replica(replicated, completed(await take_one(partition)))
    await partition.lose_workers()
    with replicated.servers.holding_replica_back(), pytest.raises(BrokerUnavailable):
        await partition.housekeeping.confirm_ends()
    assert (await partition.store.read(task_id)).status is TaskStatus.PROCESSING
    assert await partition.housekeeping.confirm_ends() == 1
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts) == (TaskStatus.COMPLETED, 1)
    assert await partition.housekeeping.confirm_ends() == 0
    assert await partition.count_entries() == 0
    status, totals = await Statistics(partition.broker).queue_status(), await Statistics(partition.broker).totals()
    assert (status.pending, status.processing, totals.completed) == (0, 0, 1)


async def lose_last_worker(partition: Partition) -> None:
    await take_one(partition)
    await partition.lose_workers()


async def pass_deadline_in_queue(partition: Partition) -> None:
    await partition.housekeeping.expire_overdue()


async def take_too_late(partition: Partition) -> None:
    assert await partition.make_consumer().take(1) == []


@pytest.mark.parametrize("end", [lose_last_worker, pass_deadline_in_queue, take_too_late])
async def test_every_other_end_waits_for_its_replica_too(
    replicated: Replicated, end: Callable[[Partition], Awaitable[None]]
) -> None:
    partition = replicated.partition
    deadline_seconds = 3600.0 if end is lose_last_worker else 0.0
    task_id = await partition.submit(retry_count=0, deadline_seconds=deadline_seconds)
    with replicated.servers.holding_replica_back():
        await end(partition)
        record = await partition.store.read(task_id)
        assert (record.status, record.error) == (TaskStatus.PROCESSING, None)
        with pytest.raises(TaskNotFound):
            await DeadLetters(partition.broker, partition.store).show(task_id)
    # Neither the deadline nor another loss ends it a second time.
    await partition.housekeeping.expire_overdue()
    await partition.lose_workers()
    assert await partition.housekeeping.confirm_ends() == 1
    assert (await partition.store.read(task_id)).status is TaskStatus.FAILED
    assert (await Statistics(partition.broker).totals()).failed == 1


async def test_evidence_comes_with_the_end(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    settlement = replace(completed(await take_one(partition)), evidence=Evidence(b"picture", b"screenshot"))
    await settle_without_replica(replicated, settlement)
    store = EvidenceStore(partition.broker)
    with pytest.raises(TaskNotFound):
        await store.read(task_id, EvidencePart.PICTURE)
    await partition.housekeeping.confirm_ends()
    assert await store.read(task_id, EvidencePart.PICTURE) == b"picture"


async def test_a_task_is_cancelled_once_a_replica_knows(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    delivery = await take_one(partition)
    with replicated.servers.holding_replica_back(), pytest.raises(BrokerUnavailable):
        await partition.store.cancel(task_id)
    assert (await partition.store.read(task_id)).status is TaskStatus.PROCESSING
    # Its worker learns from the renewal that there is nothing left to work for.
    assert await partition.make_consumer().renew([delivery]) == ["unconfirmed"]
    assert await partition.make_consumer().settle([completed(delivery)]) == ["refused"]
    assert (await partition.store.cancel(task_id)).status is TaskStatus.CANCELLED
    assert (await partition.store.cancel(task_id)).status is TaskStatus.CANCELLED


async def test_a_task_that_ended_unconfirmed_can_not_be_cancelled_any_more(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    await settle_without_replica(replicated, completed(await take_one(partition)))
    with pytest.raises(AlreadyFinished, match="already completed"):
        await partition.store.cancel(task_id)
    assert (await partition.store.read(task_id)).status is TaskStatus.COMPLETED


async def test_a_confirmation_makes_no_other_attempts_end_final(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit()
    await settle_without_replica(replicated, completed(await take_one(partition)))
    keys = partition.broker.partitions[0]
    stale = "completed 1700000000000 0123456789abcdef"
    assert await partition.broker.run_script("confirm", keys, [task_id, stale]) == [b"unconfirmed"]
    assert (await partition.store.read(task_id)).status is TaskStatus.PROCESSING


@pytest.mark.parametrize("replicated", [None, find_bundled_program()], ids=["redis", "valkey"], indirect=True)
async def test_what_is_repeated_waits_for_the_replica_as_the_first_did(replicated: Replicated) -> None:
    """A repeated submit writes nothing, yet its answer promises what the first one could not.

    On Valkey, WAIT after a script that has written nothing waits for nothing.
    """
    store = replicated.partition.store
    task = NewTask(make_task_id(0), TaskRequest(TARGET, url=f"http://{TARGET}/"))
    with replicated.servers.holding_replica_back():
        for _ in range(2):
            with pytest.raises(BrokerUnavailable) as refused:
                await store.submit([task])
            assert refused.value.task_id == task.task_id
    assert await store.submit([task]) == [task.task_id]


async def test_an_attempt_to_be_repeated_is_pending_at_once(replicated: Replicated) -> None:
    partition = replicated.partition
    task_id = await partition.submit(retry_count=1)
    assert await partition.make_consumer().settle([retryable(await take_one(partition))]) == ["pending"]
    assert (await partition.store.read(task_id)).status is TaskStatus.PENDING
