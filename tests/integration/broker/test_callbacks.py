"""The callbacks of a partition: queued with the end of their task, taken for a lease, given up, replayed."""

from dataclasses import replace

import pytest

from captchad.broker.callbacks import CallbackQueue, DeadCallbacks
from captchad.broker.confirmation import confirm_ends
from captchad.broker.connection import Broker
from captchad.broker.consumer import Consumer
from captchad.broker.dead_letters import DeadLetters
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.session_cipher import SessionCipher
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.errors import BrokerUnavailable, QueueFull, TaskNotFound
from captchad.domain.identifier import make_task_id
from captchad.domain.page import Cookie, SessionState
from captchad.domain.task import TaskRecord, TaskRequest, TaskStatus
from tests.integration.protocol import (
    CALLBACK_URL,
    DEAD_LETTER_LIMITS,
    LIMITS,
    TARGET,
    Partition,
    completed,
    failed_for_good,
    make_callback_queue,
    make_result,
    retryable,
)

LEASE_SECONDS, ROOM = 60.0, 8


async def claim(queue: CallbackQueue, room: int = ROOM) -> list[str]:
    return [one.task_id for one in (await queue.claim(LEASE_SECONDS, room, {})).callbacks]


async def finish(partition: Partition) -> str:
    """Run a task with a callback to its end."""
    task_id = await partition.submit(callback_url=CALLBACK_URL)
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    assert await worker.settle([completed(delivery)]) is not None
    return task_id


async def list_callback_keys(broker: Broker) -> list[bytes]:
    return list(await broker.client.keys("*callback*"))


async def test_what_is_sent_is_the_record_as_it_ended_also_once_that_has_expired(partition: Partition) -> None:
    task_id = await finish(partition)
    record = await partition.store.read(task_id)
    await partition.broker.client.delete(partition.broker.partitions[0].task(task_id))
    [callback] = (await make_callback_queue(partition.broker).claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert callback.record == record
    assert (callback.url, callback.host, callback.tries) == (CALLBACK_URL, "hooks.example", 1)


async def test_a_session_is_stored_sealed_sent_and_not_kept_of_one_that_is_given_up(partition: Partition) -> None:
    broker, cipher = partition.broker, SessionCipher("k" * 32)
    store = TaskStore(broker, LIMITS, cipher)
    request = TaskRequest(TARGET, url=f"http://{TARGET}/", return_session=True, callback_url=CALLBACK_URL)
    [task_id] = await store.submit([NewTask(make_task_id(0), request)])
    worker = Consumer(broker, broker.partitions[0], "w", "w.1", DEAD_LETTER_LIMITS, cipher)
    [delivery] = await worker.take(1)
    session = SessionState(cookies=(Cookie("sid", "Zq-the-cookie"),))
    await worker.settle([replace(completed(delivery), result=replace(make_result(), session=session))])
    queue = CallbackQueue(broker, broker.partitions[0], SchedulerSection(callback_retry_seconds=1), cipher)
    await partition.age_callbacks(2000)
    [callback] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert callback.record == await store.read(task_id)
    assert callback.record is not None
    assert callback.record.result is not None
    assert callback.record.result.session == session
    key = f"{broker.partitions[0].prefix}:callbacks:{task_id}"
    assert b"Zq-the-cookie" not in b"".join((await broker.client.hgetall(key)).values())
    assert await queue.settle(callback, "it answered 500", 1.0) == "dead"
    kept = await broker.client.hgetall(broker.partitions[0].dead_callback(task_id))
    assert b"returned_session" not in kept
    counters = await broker.client.hgetall(broker.partitions[0].counters)
    assert int(counters[b"dead_callback_bytes"]) == int(kept[b"bytes"]) > 0


@pytest.mark.parametrize("end", ["failed", "dead", "cancelled", "overdue", "lost"])
async def test_every_end_is_called_back(partition: Partition, end: str) -> None:
    worker, queue = partition.make_consumer(), make_callback_queue(partition.broker)
    deadline_seconds = 0.001 if end == "overdue" else 3600.0
    task_id = await partition.submit(callback_url=CALLBACK_URL, retry_count=0, deadline_seconds=deadline_seconds)
    assert await claim(queue) == []
    if end == "cancelled":
        await partition.store.cancel(task_id)
    elif end == "overdue":
        # The deadline may lie in the very millisecond of the first look.
        for sweep in iter(partition.housekeeping.expire_overdue, None):
            if (await sweep).count:
                break
    else:
        [delivery] = await worker.take(1)
        if end == "lost":
            await partition.lose_workers()
        else:
            await worker.settle([failed_for_good(delivery) if end == "failed" else retryable(delivery)])
    assert await claim(queue) == [task_id]


async def test_a_callback_is_delivered_once_and_leaves_nothing_behind(partition: Partition) -> None:
    task_id = await finish(partition)
    queue = make_callback_queue(partition.broker)
    [callback] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert await claim(queue) == [], "another scheduler takes it while its lease lasts"
    assert await queue.settle(callback, None, 1.0) == "delivered"
    assert await queue.settle(callback, None, 1.0) == "stale"
    assert callback.task_id == task_id
    assert await claim(queue) == []
    assert await list_callback_keys(partition.broker) == []
    counters = await partition.broker.client.hgetall(partition.broker.partitions[0].counters)
    assert [name for name in counters if name.startswith(b"callback")] == [b"callbacks_delivered"]


async def test_one_whose_sender_died_is_due_again_once_its_lease_is_over(partition: Partition) -> None:
    task_id = await finish(partition)
    queue = make_callback_queue(partition.broker)
    [lost] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    await partition.make_callbacks_due()
    [again] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert (again.task_id, again.tries) == (task_id, 2)
    # The first one comes back late: its failure says nothing any more, but its success does.
    assert await queue.settle(lost, "it answered 500", 1.0) == "stale"
    assert await queue.settle(lost, None, 1.0) == "delivered"


async def test_pauses_double_up_to_the_longest(partition: Partition) -> None:
    await finish(partition)
    queue = make_callback_queue(partition.broker, callback_longest_pause_seconds=5)
    pauses = []
    for _ in range(5):
        await partition.make_callbacks_due()
        [callback] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
        assert await queue.settle(callback, "it answered 500", 1.0) == "retried"
        pauses.append(round((await queue.claim(LEASE_SECONDS, ROOM, {})).next_due_seconds or 0))
    assert pauses == [1, 2, 4, 5, 5]


async def test_after_its_time_it_is_given_up_kept_and_sent_again_when_an_operator_says_so(partition: Partition) -> None:
    task_id = await finish(partition)
    broker = partition.broker
    queue, dead = make_callback_queue(broker, callback_retry_seconds=60), DeadCallbacks(broker)
    await partition.age_callbacks(61_000)
    [callback] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert await queue.settle(callback, "it answered 500", 1.0) == "dead"
    [kept] = await dead.list_callbacks(10)
    assert (kept.task_id, kept.failure, kept.record) == (task_id, "it answered 500", callback.record)
    assert await claim(queue) == []
    assert [one async for one in dead.replay_all()] == [task_id]
    with pytest.raises(TaskNotFound):
        await dead.show(task_id)
    [again] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert (again.record, again.tries) == (callback.record, 1)
    assert await queue.settle(again, None, 1.0) == "delivered"
    assert await claim(queue) == []
    assert await list_callback_keys(broker) == []


async def test_those_given_up_are_bounded_and_pruned(partition: Partition) -> None:
    broker = partition.broker
    settings = {"dead_letter_limit": 2, "callback_retry_seconds": 1}
    queue, dead = make_callback_queue(broker, **settings), DeadCallbacks(broker)
    task_ids = []
    for _ in range(3):
        task_ids.append(await finish(partition))
        await partition.age_callbacks(2000)
        [callback] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
        assert await queue.settle(callback, "it answered 500", 1.0) == "dead"
    assert {one.task_id for one in await dead.list_callbacks(10)} == set(task_ids[1:])
    totals = await Statistics(broker).totals()
    assert (totals.callbacks_dead, totals.callbacks_dropped) == (3, 1)
    await broker.client.zadd(broker.partitions[0].dead_callbacks, {task_ids[1]: 1})
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    assert (await housekeeping.prune([])).dead_callbacks == 1
    assert [one.task_id for one in await dead.list_callbacks(10)] == [task_ids[2]]


async def test_a_host_that_takes_none_leaves_the_others_their_room(partition: Partition) -> None:
    store = TaskStore(partition.broker, QueueLimits(100, 1_000_000, callbacks=2, callback_bytes=100_000))

    async def submit(*hosts: str) -> None:
        tasks = [
            NewTask(make_task_id(0), TaskRequest(TARGET, url=f"http://{TARGET}/", callback_url=f"https://{host}/"))
            for host in hosts
        ]
        await store.submit(tasks)

    await submit("down.example", "down.example")
    with pytest.raises(QueueFull, match="callbacks"):
        await submit("other.example", "down.example")
    await submit("other.example")
    few_bytes = TaskStore(partition.broker, QueueLimits(100, 1_000_000, callbacks=100, callback_bytes=1))
    with pytest.raises(QueueFull, match="callbacks"):
        await few_bytes.submit([NewTask(make_task_id(0), TaskRequest(TARGET, callback_url="https://down.example/"))])
    queue = make_callback_queue(partition.broker)
    for task_id in [record.task_id for record in await list_open(partition)]:
        await partition.store.cancel(task_id)
    claimed = await queue.claim(LEASE_SECONDS, ROOM, {"down.example": 0})
    assert [one.host for one in claimed.callbacks] == ["other.example"]
    # Nothing is said of the host that is busy, or the scheduler would ask without end.
    assert claimed.next_due_seconds == pytest.approx(LEASE_SECONDS, abs=1)


async def list_open(partition: Partition) -> list[TaskRecord]:
    ids = await partition.broker.client.zrange(partition.broker.partitions[0].open, 0, -1)
    return [await partition.store.read(one.decode()) for one in ids]


async def test_the_end_that_an_older_release_wrote_is_found(partition: Partition) -> None:
    task_id = await partition.submit(callback_url=CALLBACK_URL)
    keys, client, queue = partition.broker.partitions[0], partition.broker.client, make_callback_queue(partition.broker)
    await partition.make_callbacks_due()
    assert await claim(queue) == [], "it still runs"
    # As its script, which knows of no callback, leaves it.
    await client.hset(keys.task(task_id), mapping={"status": "completed", "completed_ms": 1, "result": b"{}"})
    await partition.make_callbacks_due()
    [callback] = (await queue.claim(LEASE_SECONDS, ROOM, {})).callbacks
    assert callback.record is not None
    assert callback.record.status is TaskStatus.COMPLETED


async def test_one_whose_task_has_vanished_is_dropped(partition: Partition) -> None:
    task_id = await partition.submit(callback_url=CALLBACK_URL)
    await partition.broker.client.delete(partition.broker.partitions[0].task(task_id))
    await partition.make_callbacks_due()
    assert await claim(make_callback_queue(partition.broker)) == []
    assert await list_callback_keys(partition.broker) == []
    assert (await Statistics(partition.broker).totals()).callbacks_dropped == 1


async def test_an_end_that_no_replica_has_is_not_called_back_before_it_is_confirmed(
    partition: Partition, redis_url: str
) -> None:
    task_id = await partition.submit(callback_url=CALLBACK_URL)
    broker = Broker(RedisSection(min_replicas_acknowledged=1), "test", url_override=redis_url)
    await broker.start()
    with pytest.raises(BrokerUnavailable):
        await TaskStore(broker, LIMITS).cancel(task_id)
    queue = make_callback_queue(partition.broker)
    await partition.make_callbacks_due()
    assert await claim(queue) == []
    ending = await partition.broker.client.hget(broker.partitions[0].task(task_id), "ending")
    assert await confirm_ends(broker, broker.partitions[0], [task_id], [b"unconfirmed " + ending]) == ["cancelled"]
    assert await claim(queue) == [task_id]
    await broker.close()


async def test_a_replayed_dead_letter_calls_back_too(partition: Partition) -> None:
    await partition.submit(callback_url=CALLBACK_URL, retry_count=0)
    worker, queue = partition.make_consumer(), make_callback_queue(partition.broker)
    [delivery] = await worker.take(1)
    await worker.settle([retryable(delivery)])
    new_id = await DeadLetters(partition.broker, partition.store).replay(delivery.task_id)
    [again] = await worker.take(1)
    await worker.settle([completed(again)])
    assert await claim(queue) == [delivery.task_id, new_id]


async def test_figures_tell_of_those_that_wait(partition: Partition) -> None:
    await partition.submit(callback_url=CALLBACK_URL)
    status = await Statistics(partition.broker).queue_status()
    assert (status.callbacks, status.oldest_callback_seconds) == (0, None)
    await finish(partition)
    status = await Statistics(partition.broker).queue_status()
    assert status.callbacks == 1
    assert status.oldest_callback_seconds is not None
    assert 0 <= status.oldest_callback_seconds < 600
