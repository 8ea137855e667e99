"""Records that this release can't read: newer ones are left to those that know them, damaged ones end."""

from typing import Any

import orjson
import pytest

from captchad.broker.dead_letters import DeadLetters
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import TaskQuery
from captchad.domain.errors import InvalidRequest, TaskErrorCode
from captchad.domain.task import TaskRecord, TaskStatus
from tests.integration.protocol import TARGET, Partition, completed, retryable

NEWER: list[dict[str, Any]] = [
    {"version": 2},
    {"of_a_later_release": "a wish"},
    {"hints": {"charset": None, "of_a_later_release": 4}},
    {"fill": {"input": "#a", "of_a_later_release": True}},
    {"priority": "urgent"},
]
DAMAGED = [
    b"",
    b"\xff\xfe",
    b'{"version": 1, "tar',
    b"[]",
    b'{"version": 1}',
    b'{"version": "1", "target": "captcha.example"}',
    b'{"version": 1, "target": "captcha.example", "timeout_seconds": "soon"}',
    b'{"version": 1, "target": 7}',
]


async def change_request(partition: Partition, task_id: str, change: dict[str, Any] | bytes) -> None:
    key = partition.broker.partitions[0].task(task_id)
    stored = await partition.broker.client.hget(key, "request")
    changed = change if isinstance(change, bytes) else orjson.dumps(orjson.loads(stored) | change)
    await partition.broker.client.hset(key, "request", changed)


async def list_all(partition: Partition) -> list[TaskRecord]:
    return list((await partition.store.list_page(TaskQuery())).tasks)


async def take_ids(partition: Partition) -> list[str]:
    return [delivery.task_id for delivery in await partition.make_consumer().take(5)]


@pytest.mark.parametrize("change", NEWER)
async def test_one_of_a_newer_release_is_left_to_those_that_know_it(
    partition: Partition, change: dict[str, Any]
) -> None:
    newer, readable = await partition.submit(retry_count=0), await partition.submit()
    await change_request(partition, newer, change)
    assert await take_ids(partition) == [readable]
    record = await partition.store.read(newer)
    assert (record.status, record.attempts, record.started_ms, record.worker) == (TaskStatus.PENDING, 0, None, None)
    # Not at once again: the same worker would have it back for ever.
    assert await take_ids(partition) == []
    await partition.make_delayed_due()
    assert (await partition.housekeeping.promote_due()).count == 1
    assert await partition.count_entries() == 2


@pytest.mark.parametrize("data", DAMAGED)
async def test_a_damaged_one_fails_and_nothing_else_does(partition: Partition, data: bytes) -> None:
    damaged, readable = await partition.submit(), await partition.submit()
    await change_request(partition, damaged, data)
    assert await take_ids(partition) == [readable]
    record = await partition.store.read(damaged)
    assert record.status is TaskStatus.FAILED
    assert record.error is not None
    assert (record.error.code, record.error.is_retryable) == (TaskErrorCode.UNREADABLE_RECORD, False)
    assert await DeadLetters(partition.broker, partition.store).list_ids() == []
    assert (await Statistics(partition.broker).totals()).failed == 1


@pytest.mark.parametrize("change", [*NEWER, *DAMAGED])
async def test_lists_show_what_can_be_read_of_it(partition: Partition, change: dict[str, Any] | bytes) -> None:
    unreadable, readable = await partition.submit(), await partition.submit()
    await change_request(partition, unreadable, change)
    listed = {record.task_id: record for record in await list_all(partition)}
    assert set(listed) == {unreadable, readable}
    assert listed[unreadable].request.target == TARGET
    assert listed[unreadable].request.url is None
    assert (await partition.store.read(unreadable)).status is TaskStatus.PENDING


@pytest.mark.parametrize("field", ["result", "error", "evidence"])
@pytest.mark.parametrize(
    "data", [b"{", b'{"unheard": "of"}', b'{"code": "of_later", "message": "", "is_retryable": true}']
)
async def test_an_outcome_that_cannot_be_read_spoils_no_list(partition: Partition, field: str, data: bytes) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    await worker.settle([completed(delivery) for delivery in await worker.take(1)])
    await partition.broker.client.hset(partition.broker.partitions[0].task(task_id), field, data)
    [record] = await list_all(partition)
    assert record.status is TaskStatus.COMPLETED
    assert (record.result is None) is (field == "result")


@pytest.mark.parametrize(
    "fields",
    [
        {"deadline_ms": "soon"},
        {"attempts": ""},
        {"priority": "9", "bytes": "many"},
        {"ttl_seconds": "long", "worker_losses": "few", "retry_limit": "x"},
        {"ttl_seconds": "0.5"},
        {"bytes": "1.5"},
        {"bytes": "1e30"},
    ],
)
async def test_a_record_whose_numbers_are_damaged_stops_no_script(partition: Partition, fields: dict[str, str]) -> None:
    damaged, cancelled, overdue = [await partition.submit() for _ in range(3)]
    keys = partition.broker.partitions[0]
    for task_id in (damaged, cancelled, overdue):
        await partition.broker.client.hset(keys.task(task_id), mapping=fields)
    assert (await partition.store.cancel(cancelled)).status is TaskStatus.CANCELLED
    await partition.broker.client.zadd(keys.open, {overdue: 1})
    assert (await partition.housekeeping.expire_overdue()).count == 1
    readable = await partition.submit()
    assert await take_ids(partition) == [readable]
    record = await partition.store.read(damaged)
    assert record.error is not None
    assert record.error.code is TaskErrorCode.UNREADABLE_RECORD
    assert await partition.count_entries() == 1
    await partition.lose_workers()
    await list_all(partition)


async def test_a_record_to_be_kept_for_longer_than_redis_can_count_ends_as_others_do(partition: Partition) -> None:
    task_id, worker = await partition.submit(), partition.make_consumer()
    key = partition.broker.partitions[0].task(task_id)
    await partition.broker.client.hset(key, "ttl_seconds", 2**63 - 1)
    await worker.settle([completed(delivery) for delivery in await worker.take(1)])
    assert (await partition.store.read(task_id)).status is TaskStatus.COMPLETED
    assert (await Statistics(partition.broker).totals()).completed == 1
    assert await partition.broker.client.zcard(partition.broker.partitions[0].open) == 0
    assert await partition.broker.client.ttl(key) > 0


async def test_a_dead_letter_that_cannot_be_read_is_listed_but_not_replayed(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0)
    worker = partition.make_consumer()
    await worker.settle([retryable(delivery) for delivery in await worker.take(1)])
    await partition.broker.client.hset(partition.broker.partitions[0].dead_letter(task_id), "request", '{"version": 2}')
    letters = DeadLetters(partition.broker, partition.store)
    [letter] = await letters.list_letters(10)
    assert (letter.task_id, letter.request.target) == (task_id, TARGET)
    with pytest.raises(InvalidRequest, match="wire version 2"):
        await letters.replay(task_id)
