"""What the protocol promises about one task, whoever dies and whoever answers late."""

import asyncio

import pytest

from captchad.broker.consumer import RENEWED, AttemptOutcome, Settlement
from captchad.broker.dead_letters import DeadLetters
from captchad.broker.statistics import Statistics
from captchad.broker.task_pages import TaskQuery
from captchad.broker.tasks import Idempotency, NewTask, QueueLimits, TaskStore
from captchad.domain.errors import (
    AlreadyFinished,
    IdempotencyConflict,
    InvalidRequest,
    QueueFull,
    TaskErrorCode,
    TaskNotFound,
)
from captchad.domain.identifier import make_task_id
from captchad.domain.task import Priority, TaskError, TaskRequest, TaskStatus
from tests.integration.protocol import (
    TARGET,
    Partition,
    completed,
    failed_for_good,
    handed_back,
    retryable,
)
from tests.patience import PATIENCE_SECONDS


async def test_a_completed_task_leaves_nothing_but_its_record(partition: Partition) -> None:
    task_id = await partition.submit(picture=b"\x89PNG")
    worker = partition.make_consumer()
    [delivery] = await worker.take(5)
    assert delivery.request.picture == b"\x89PNG"
    assert await worker.settle([completed(delivery, "xy12")]) == ["completed"]
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts, record.worker) == (TaskStatus.COMPLETED, 1, "worker")
    assert record.result is not None
    assert record.result.captcha_text == "xy12"
    assert await partition.count_entries() == 0
    client = partition.broker.client
    keys = partition.broker.partitions[0]
    assert not await client.hexists(keys.task(task_id), "picture")
    assert 0 < await client.ttl(keys.task(task_id)) <= 3600
    assert await client.zcard(keys.open) == await client.zcard(keys.delayed) == 0
    status = await Statistics(partition.broker).queue_status()
    assert (status.pending, status.processing, status.queued_bytes, status.per_target) == (0, 0, 0, {})


async def test_a_worker_gets_no_more_than_it_asks_for_and_the_highest_priority_first(partition: Partition) -> None:
    low = await partition.submit(priority=Priority.LOW)
    normal = [await partition.submit() for _ in range(2)]
    high = await partition.submit(priority=Priority.HIGH)
    worker = partition.make_consumer()
    assert [delivery.task_id for delivery in await worker.take(2)] == [high, normal[0]]
    assert [delivery.task_id for delivery in await worker.take(5)] == [normal[1], low]


async def test_a_result_of_a_worker_that_lost_its_lease_is_refused(partition: Partition) -> None:
    task_id = await partition.submit()
    zombie, rescuer = partition.make_consumer("zombie"), partition.make_consumer("rescuer")
    [stale] = await zombie.take(1)
    await partition.lose_workers()
    assert await zombie.renew([stale]) == ["pending"]
    [fresh] = await rescuer.take(1)
    assert fresh.attempt == 2
    assert await zombie.renew([stale]) == ["lost"]
    assert await zombie.settle([completed(stale, "zombie")]) == ["refused"]
    assert await rescuer.renew([fresh]) == [RENEWED]
    await rescuer.settle([completed(fresh, "rescuer")])
    before = await partition.store.read(task_id)
    assert await zombie.settle([completed(stale, "zombie")]) == ["refused"]
    assert await partition.store.read(task_id) == before
    assert before.result is not None
    assert before.result.captcha_text == "rescuer"


async def test_the_same_consumer_is_fenced_from_its_own_earlier_attempt(partition: Partition) -> None:
    await partition.submit()
    worker = partition.make_consumer()
    [first] = await worker.take(1)
    await partition.lose_workers()
    [second] = await worker.take(1)
    assert first.token != second.token
    assert await worker.settle([completed(first)]) == ["refused"]
    assert await worker.settle([completed(second)]) == ["completed"]


async def test_settling_twice_is_answered_as_a_duplicate_and_changes_nothing(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    await worker.settle([completed(delivery, "first")])
    before = await partition.store.read(task_id)
    assert await worker.settle([completed(delivery, "again")]) == ["duplicate"]
    assert await partition.store.read(task_id) == before


async def test_a_renewed_lease_is_not_reclaimed(partition: Partition) -> None:
    await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    await worker.renew([delivery])
    reclaimed = await partition.housekeeping.reclaim_stalled(lease_seconds=5, away_until_ms=0)
    assert reclaimed.requeued == 0
    assert await worker.settle([completed(delivery)]) == ["completed"]


async def test_a_lost_workers_task_runs_before_everything_that_waits(partition: Partition) -> None:
    lost = await partition.submit(priority=Priority.LOW)
    worker = partition.make_consumer()
    await worker.take(1)
    await partition.submit(priority=Priority.HIGH)
    await partition.lose_workers()
    assert [delivery.task_id for delivery in await worker.take(1)] == [lost]


async def test_a_task_that_loses_its_worker_twice_is_a_dead_letter(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=10, picture=b"\x89PNG")
    for _ in range(2):
        assert len(await partition.make_consumer().take(1)) == 1
        await partition.lose_workers()
    record = await partition.store.read(task_id)
    assert record.status is TaskStatus.FAILED
    assert record.error is not None
    assert record.error.code is TaskErrorCode.WORKER_LOST
    letters = DeadLetters(partition.broker, partition.store)
    assert await letters.list_ids() == [task_id]
    assert (await letters.show(task_id)).request.picture == b"\x89PNG"
    assert await partition.count_entries() == 0


async def test_worker_losses_while_redis_was_away_cost_neither_attempts_nor_poison(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0)
    for _ in range(3):
        [delivery] = await partition.make_consumer().take(1)
        assert delivery.attempt == 1
        seconds, _ = await partition.broker.client.time()
        await partition.lose_workers(away_until_ms=(seconds + 60) * 1000)
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts) == (TaskStatus.PENDING, 0)


async def test_a_lost_worker_costs_an_attempt(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0)
    await partition.make_consumer().take(1)
    await partition.lose_workers()
    assert (await partition.store.read(task_id)).status is TaskStatus.FAILED


async def test_a_handed_back_task_costs_no_attempt(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0)
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    assert await worker.settle([handed_back(delivery)]) == ["pending"]
    assert (await partition.store.read(task_id)).attempts == 0
    [again] = await worker.take(1)
    assert again.attempt == 1


async def test_a_failed_attempt_is_retried_after_a_growing_delay_and_then_dead(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=2)
    worker = partition.make_consumer()
    delays_ms = []
    for _ in range(2):
        [delivery] = await worker.take(1)
        before_ms = await partition.read_time_ms()
        assert await worker.settle([retryable(delivery)]) == ["pending"]
        after_ms = await partition.read_time_ms()
        assert await worker.take(1) == []
        [(_, due_ms)] = await partition.broker.client.zrange(
            partition.broker.partitions[0].delayed, 0, -1, withscores=True
        )
        # It was settled somewhere between the two times.
        delays_ms.append((due_ms - after_ms, due_ms - before_ms))
        await partition.make_delayed_due()
        assert (await partition.housekeeping.promote_due()).count == 1
    (first_at_least_ms, _), (second_at_least_ms, second_at_most_ms) = delays_ms
    assert first_at_least_ms <= 1000
    assert second_at_least_ms <= 2000
    assert second_at_most_ms >= 1000
    [last] = await worker.take(1)
    assert last.attempt == 3
    assert await worker.settle([retryable(last)]) == ["failed"]
    assert await DeadLetters(partition.broker, partition.store).list_ids() == [task_id]


async def test_a_task_that_failed_for_good_at_once_is_no_dead_letter(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    assert await worker.settle([failed_for_good(delivery)]) == ["failed"]
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts) == (TaskStatus.FAILED, 1)
    assert await DeadLetters(partition.broker, partition.store).list_ids() == []


async def test_a_task_that_used_up_its_retries_within_one_attempt_is_a_dead_letter(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=3)
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    error = TaskError(TaskErrorCode.WRONG_ANSWER, "4 answers were wrong", is_retryable=False)
    assert await worker.settle([Settlement(delivery, AttemptOutcome.EXHAUSTED, error=error)]) == ["failed"]
    record = await partition.store.read(task_id)
    assert (record.status, record.attempts, record.error) == (TaskStatus.FAILED, 1, error)
    assert await DeadLetters(partition.broker, partition.store).list_ids() == [task_id]


async def test_a_replayed_dead_letter_is_a_new_task_and_the_old_record_stays(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0, picture=b"\x89PNG")
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    await worker.settle([retryable(delivery)])
    before = await partition.store.read(task_id)
    replayed = await DeadLetters(partition.broker, partition.store).replay(task_id)
    assert (await partition.store.read(replayed)).replay_of == task_id
    assert await partition.store.read(task_id) == before
    [again] = await worker.take(1)
    assert (again.task_id, again.request.picture) == (replayed, b"\x89PNG")


async def test_a_queued_task_is_cancelled_at_once_and_never_delivered(partition: Partition) -> None:
    task_id = await partition.submit()
    assert (await partition.store.cancel(task_id)).status is TaskStatus.CANCELLED
    assert (await partition.store.cancel(task_id)).status is TaskStatus.CANCELLED
    assert await partition.count_entries() == 0
    assert await partition.make_consumer().take(1) == []


async def test_a_running_task_is_cancelled_and_its_worker_learns_of_it(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    await partition.store.cancel(task_id)
    assert await worker.renew([delivery]) == ["cancelled"]
    assert await worker.settle([completed(delivery)]) == ["refused"]
    assert (await partition.store.read(task_id)).status is TaskStatus.CANCELLED
    assert await partition.count_entries() == 0


async def test_a_delayed_task_is_cancelled(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    await worker.settle([retryable((await worker.take(1))[0])])
    await partition.store.cancel(task_id)
    await partition.make_delayed_due()
    assert (await partition.housekeeping.promote_due()).count == 0


async def test_a_finished_task_cannot_be_cancelled(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    await worker.settle([completed((await worker.take(1))[0])])
    with pytest.raises(AlreadyFinished):
        await partition.store.cancel(task_id)
    with pytest.raises(TaskNotFound):
        await partition.store.cancel(make_task_id(0))


@pytest.mark.parametrize("is_running", [False, True])
async def test_a_task_past_its_deadline_fails_wherever_it_is(partition: Partition, is_running: bool) -> None:
    task_id = await partition.submit(deadline_seconds=0.2)
    worker = partition.make_consumer()
    deliveries = await worker.take(1) if is_running else []
    for sweep in iter(partition.housekeeping.expire_overdue, None):
        if (await sweep).count:
            break
    record = await partition.store.read(task_id)
    assert record.error is not None
    assert record.error.code is TaskErrorCode.DEADLINE_EXCEEDED
    assert await worker.settle([completed(delivery) for delivery in deliveries]) == ["refused"] * len(deliveries)
    assert await partition.count_entries() == 0


async def test_an_overdue_task_is_not_begun(partition: Partition) -> None:
    task_id = await partition.submit()
    await partition.broker.client.hset(partition.broker.partitions[0].task(task_id), "deadline_ms", 1)
    assert await partition.make_consumer().take(1) == []
    assert (await partition.store.read(task_id)).status is TaskStatus.FAILED


async def test_the_same_idempotency_key_and_body_give_the_same_task(partition: Partition) -> None:
    key = Idempotency("a" * 64, "b" * 64)
    task_id = await partition.submit(idempotency=key)
    assert await partition.submit(idempotency=key) == task_id
    worker = partition.make_consumer()
    await worker.settle([completed((await worker.take(1))[0])])
    assert await partition.submit(idempotency=key) == task_id
    with pytest.raises(IdempotencyConflict):
        await partition.submit(idempotency=Idempotency("a" * 64, "c" * 64))
    assert (await Statistics(partition.broker).totals()).submitted == 1


async def test_storing_the_same_id_again_changes_nothing(partition: Partition) -> None:
    task = NewTask(make_task_id(0), TaskRequest(TARGET, url="http://captcha.example/"))
    assert await partition.store.submit([task]) == await partition.store.submit([task]) == [task.task_id]
    assert await partition.count_entries() == 1


async def test_a_full_queue_refuses_all_of_a_batch(partition: Partition) -> None:
    store = TaskStore(partition.broker, QueueLimits(tasks=3, bytes=1_000_000))
    tasks = [NewTask(make_task_id(0), TaskRequest(TARGET, url="http://captcha.example/")) for _ in range(4)]
    with pytest.raises(QueueFull):
        await store.submit(tasks)
    assert await partition.count_entries() == 0
    await store.submit(tasks[:3])
    with pytest.raises(QueueFull):
        await store.submit(tasks[3:])


async def test_the_queue_is_bounded_by_bytes_too(partition: Partition) -> None:
    store = TaskStore(partition.broker, QueueLimits(tasks=100, bytes=2000))
    with pytest.raises(QueueFull):
        await store.submit([NewTask(make_task_id(0), TaskRequest(TARGET, picture=b"x" * 2000))])


async def test_a_delivery_whose_reply_was_lost_is_handed_back_at_no_cost(partition: Partition) -> None:
    known, unknown = await partition.submit(), await partition.submit()
    worker = partition.make_consumer()
    deliveries = {delivery.task_id: delivery for delivery in await worker.take(2)}
    assert await worker.hand_back_unknown([known]) == 1
    assert (await partition.store.read(unknown)).attempts == 0
    assert await worker.settle([completed(deliveries[known])]) == ["completed"]
    assert [delivery.task_id for delivery in await worker.take(2)] == [unknown]


async def test_consumers_of_gone_workers_are_removed_only_with_nothing_pending(partition: Partition) -> None:
    await partition.submit()
    gone, alive = partition.make_consumer("gone"), partition.make_consumer("alive")
    [delivery] = await gone.take(1)
    await partition.submit()
    await alive.take(1)

    async def list_consumers() -> list[bytes]:
        found = await partition.broker.client.xinfo_consumers(partition.broker.partitions[0].streams[2], "workers")
        return sorted(consumer["name"] for consumer in found)

    await partition.housekeeping.prune(["alive.1"])
    assert await list_consumers() == [b"alive.1", b"gone.1"]
    await gone.settle([completed(delivery)])
    await partition.housekeeping.prune(["alive.1"])
    assert await list_consumers() == [b"alive.1"]


async def test_expired_records_are_pruned_from_the_list(partition: Partition) -> None:
    task_id, kept = await partition.submit(), await partition.submit()
    await partition.broker.client.delete(partition.broker.partitions[0].task(task_id))
    assert (await partition.housekeeping.prune([])).listed == 1
    assert [record.task_id for record in (await partition.store.list_page(TaskQuery())).tasks] == [kept]


async def test_tasks_are_listed_newest_first_in_pages_without_gaps(partition: Partition) -> None:
    ids = [await partition.submit() for _ in range(7)]
    seen: list[str] = []
    cursor = None
    while True:
        page = await partition.store.list_page(TaskQuery(limit=3, cursor=cursor))
        seen += [record.task_id for record in page.tasks]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    assert len(seen) == len(ids)
    with pytest.raises(InvalidRequest):
        await partition.store.list_page(TaskQuery(cursor="rubbish"))


async def test_waiting_returns_when_a_task_arrives_in_any_queue(partition: Partition) -> None:
    worker = partition.make_consumer()
    for priority in Priority:
        assert await worker.take(1) == []
        waiting = asyncio.ensure_future(worker.wait_for_more())
        task_id = await partition.submit(priority=priority)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await waiting
        assert [delivery.task_id for delivery in await worker.take(1)] == [task_id]


async def test_a_task_queued_between_taking_and_waiting_is_not_missed(partition: Partition) -> None:
    worker = partition.make_consumer()
    assert await worker.take(1) == []
    await partition.submit()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.wait_for_more()


async def test_a_lost_consumer_group_is_made_again_and_its_running_tasks_run_again(partition: Partition) -> None:
    running, waiting = await partition.submit(), await partition.submit()
    worker = partition.make_consumer()
    [stale] = await worker.take(1)
    await partition.broker.client.xgroup_destroy(partition.broker.partitions[0].streams[2], "workers")
    taken = await worker.take(5) + await worker.take(5)
    assert sorted(delivery.task_id for delivery in taken) == sorted([running, waiting])
    assert await worker.settle([completed(stale)]) == ["refused"]
    assert await worker.settle([completed(delivery) for delivery in taken]) == ["completed", "completed"]


async def test_answers_are_counted_over_all_attempts_and_no_more_than_the_task_may_send(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=2)
    worker = partition.make_consumer()
    [first] = await worker.take(1)
    assert first.answers == 0
    assert await worker.count_answer(first) == "counted"
    assert await worker.count_answer(first) == "counted"
    await partition.lose_workers()
    rescuer = partition.make_consumer("rescuer")
    [second] = await rescuer.take(1)
    assert second.answers == 2
    assert await worker.count_answer(first) == "lost"
    assert await rescuer.count_answer(second) == "counted"
    assert await rescuer.count_answer(second) == "used_up"
    assert (await partition.store.read(task_id)).answers == 3
    await rescuer.settle([failed_for_good(second)])
    assert await rescuer.count_answer(second) == "lost"
    assert (await partition.store.read(task_id)).answers == 3
