"""A task that kills its worker is found out without costing the tasks beside it anything."""

from collections.abc import Callable

import pytest

from captchad.broker.consumer import Delivery, Settlement
from captchad.broker.dead_letters import DeadLetters
from captchad.broker.messages import decode_error
from captchad.broker.statistics import Statistics
from captchad.domain.errors import TaskErrorCode
from captchad.domain.task import TaskStatus
from tests.integration.protocol import Partition, completed, deferred, retryable

LEASE_SECONDS = 5


async def submit_four(partition: Partition, retry_count: int = 0) -> list[str]:
    return [await partition.submit(retry_count=retry_count) for _ in range(4)]


async def read_states(partition: Partition, ids: list[str]) -> list[tuple[TaskStatus, int]]:
    records = [await partition.store.read(task_id) for task_id in ids]
    return [(record.status, record.attempts) for record in records]


async def set_waited(partition: Partition, ids: list[str], seconds: int) -> None:
    """Let these tasks have been queued so long ago."""
    queued_ms = int(await partition.read_time_ms()) - seconds * 1000
    for task_id in ids:
        await partition.broker.client.hset(partition.broker.partitions[0].task(task_id), "queued_ms", queued_ms)


async def pass_wait(partition: Partition, ids: list[str]) -> None:
    """Let these tasks have waited longer than any of them waits for a process of its own."""
    await set_waited(partition, ids, 10)


async def hold_wait(partition: Partition, ids: list[str]) -> None:
    """Let that wait not pass while the test runs, however slowly."""
    await set_waited(partition, ids, -3600)


async def lose_together(partition: Partition, ids: list[str]) -> None:
    """Let one worker be lost with all these tasks, which wait for a process of their own from now on."""
    assert ids_of(await partition.make_consumer("first").take(len(ids))) == ids
    await partition.lose_workers()
    await hold_wait(partition, ids)


def ids_of(deliveries: list[Delivery]) -> list[str]:
    return [delivery.task_id for delivery in deliveries]


async def test_what_ran_beside_a_poisoned_task_keeps_its_life_and_its_attempts(partition: Partition) -> None:
    poisoned, *innocent = await submit_four(partition)
    await lose_together(partition, [poisoned, *innocent])
    assert await read_states(partition, [poisoned, *innocent]) == [(TaskStatus.PENDING, 0)] * 4
    second = await partition.make_consumer("second").take(4)
    assert ids_of(second) == [poisoned]
    assert second[0].alone_seconds > 0
    await partition.lose_workers()
    assert await DeadLetters(partition.broker, partition.store).list_ids() == [poisoned]
    third = partition.make_consumer("third")
    for task_id in innocent:
        [delivery] = await third.take(4)
        assert (delivery.task_id, delivery.attempt) == (task_id, 1)
        assert await third.settle([completed(delivery)]) == ["completed"]
    assert await read_states(partition, innocent) == [(TaskStatus.COMPLETED, 1)] * 3


async def test_a_task_that_has_lost_a_worker_leaves_a_process_that_runs_something_alone(partition: Partition) -> None:
    ids = await submit_four(partition)
    await lose_together(partition, ids)
    other = await partition.submit()
    busy = partition.make_consumer("busy")
    # Others go past it, and it has not been forgotten.
    assert ids_of(await busy.take(4, is_process_free=False)) == [other]
    assert ids_of(await partition.make_consumer("empty").take(4)) == ids[:1]


async def test_it_runs_beside_others_where_no_process_becomes_free_in_time(partition: Partition) -> None:
    ids = await submit_four(partition)
    await lose_together(partition, ids)
    await pass_wait(partition, ids)
    busy = partition.make_consumer("busy")
    assert ids_of(await busy.take(8, is_process_free=False)) == ids


async def test_a_worker_that_leaves_such_a_task_asks_again_by_itself(partition: Partition) -> None:
    ids = await submit_four(partition)
    await partition.make_consumer("first").take(4)
    await partition.lose_workers()
    busy, taken = partition.make_consumer("busy"), list[str]()
    for _ in range(2):
        taken += ids_of(await busy.take(4, is_process_free=False))
        # Nothing is queued meanwhile, and a wait for something new would be longer.
        await busy.wait_for_more()
    taken += ids_of(await busy.take(4, is_process_free=False))
    assert taken == ids


async def test_one_that_joined_a_suspected_task_is_spared_when_their_worker_is_lost(partition: Partition) -> None:
    [suspected, *others] = await submit_four(partition)
    await lose_together(partition, [suspected, *others])
    second = partition.make_consumer("second")
    assert ids_of(await second.take(1)) == [suspected]
    joined = await partition.submit(retry_count=0)
    for task_id in others:
        await partition.store.cancel(task_id)
    assert ids_of(await second.take(4, is_process_free=False)) == [joined]
    await partition.lose_workers()
    assert await read_states(partition, [joined, suspected]) == [(TaskStatus.PENDING, 0), (TaskStatus.FAILED, 1)]
    key = partition.broker.partitions[0].task(joined)
    assert int(await partition.broker.client.hget(key, "worker_losses")) == 0


@pytest.mark.parametrize("make_settlement", [retryable, deferred])
async def test_it_is_alone_also_after_it_had_to_wait(
    partition: Partition, make_settlement: Callable[[Delivery], Settlement]
) -> None:
    suspected, other = [await partition.submit() for _ in range(2)]
    await lose_together(partition, [suspected, other])
    await partition.store.cancel(other)
    worker = partition.make_consumer("second")
    await worker.settle([make_settlement(delivery) for delivery in await worker.take(4)])
    await partition.submit()
    await partition.make_delayed_due()
    await partition.housekeeping.promote_due()
    await hold_wait(partition, [suspected])
    assert ids_of(await worker.take(4)) == [suspected]


async def test_suspects_that_are_lost_together_are_told_apart_the_next_time(partition: Partition) -> None:
    ids = await submit_four(partition)
    await lose_together(partition, ids)
    await pass_wait(partition, ids)
    assert len(await partition.make_consumer("second").take(4, is_process_free=False)) == 4
    await partition.lose_workers()
    assert await read_states(partition, ids) == [(TaskStatus.PENDING, 0)] * 4
    third = await partition.make_consumer("third").take(4)
    assert ids_of(third) == ids[:1]
    await partition.lose_workers()
    assert await DeadLetters(partition.broker, partition.store).list_ids() == ids[:1]


async def test_no_task_goes_round_for_ever(partition: Partition) -> None:
    ids = await submit_four(partition)
    for _ in range(4):
        await pass_wait(partition, ids)
        assert len(await partition.make_consumer().take(4, is_process_free=False)) == 4
        await partition.lose_workers()
    assert {status for status, _ in await read_states(partition, ids)} == {TaskStatus.FAILED}
    record = await partition.store.read(ids[0])
    assert record.error is not None
    assert (record.error.code, record.error.message) == (TaskErrorCode.WORKER_LOST, "the task lost its worker 4 times")


@pytest.mark.parametrize("earlier", [0, 1])
async def test_leases_of_one_worker_that_end_at_different_times_make_no_difference(
    partition: Partition, earlier: int
) -> None:
    ids = [await partition.submit(retry_count=0) for _ in range(2)]
    worker = partition.make_consumer()
    deliveries = await worker.take(2)
    client, keys = partition.broker.client, partition.broker.partitions[0]
    [entry] = [await client.hget(keys.task(ids[earlier]), "entry")]
    await client.xclaim(keys.streams[2], "workers", "worker.1", 0, [entry], idle=LEASE_SECONDS * 1000, justid=True)
    first = await partition.housekeeping.reclaim_stalled(LEASE_SECONDS, away_until_ms=0)
    assert first.requeued == 1
    later = await client.hget(keys.task(ids[1 - earlier]), "entry")
    await client.xclaim(keys.streams[2], "workers", "worker.1", 0, [later], idle=LEASE_SECONDS * 1000, justid=True)
    assert (await partition.housekeeping.reclaim_stalled(LEASE_SECONDS, away_until_ms=0)).requeued == 1
    assert len(deliveries) == 2
    assert await read_states(partition, ids) == [(TaskStatus.PENDING, 0)] * 2


async def test_the_only_task_of_a_lost_worker_pays_for_it(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=1)
    await partition.make_consumer().take(1)
    await partition.lose_workers()
    assert await read_states(partition, [task_id]) == [(TaskStatus.PENDING, 1)]


async def test_what_one_worker_loses_does_not_concern_another_ones_tasks(partition: Partition) -> None:
    first, second = await partition.submit(retry_count=0), await partition.submit(retry_count=0)
    for name in ("a", "b"):
        await partition.make_consumer(name).take(1)
    await partition.lose_workers()
    # Each was alone, so each is charged.
    assert await read_states(partition, [first, second]) == [(TaskStatus.FAILED, 1)] * 2
    assert (await Statistics(partition.broker).queue_status()).dead == 2
    error = await partition.broker.client.hget(partition.broker.partitions[0].task(first), "error")
    assert decode_error(error).code is TaskErrorCode.WORKER_LOST
