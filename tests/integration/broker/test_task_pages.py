"""Lists of tasks: complete, in order, and bounded in what one call looks at."""

import pytest

from captchad.broker.connection import Broker
from captchad.broker.task_pages import TaskPage, TaskQuery
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import RedisSection
from captchad.domain.identifier import make_task_id
from captchad.domain.task import TaskRequest, TaskStatus
from tests.integration.protocol import Partition, completed

LIMITS = QueueLimits(tasks=10_000, bytes=100_000_000)


async def submit(
    store: TaskStore, count: int, target: str = "a.example", key_id: str = "1", partition: int = 0
) -> list[str]:
    request = TaskRequest(target, url=f"http://{target}/", key_id=key_id)
    return await store.submit([NewTask(make_task_id(partition), request) for _ in range(count)])


async def read_all(store: TaskStore, query: TaskQuery) -> list[TaskPage]:
    pages = [await store.list_page(query)]
    while pages[-1].next_cursor is not None:
        pages.append(
            await store.list_page(
                TaskQuery(query.status, query.target, query.limit, pages[-1].next_cursor, query.key_id)
            )
        )
    return pages


def ids_of(pages: list[TaskPage]) -> list[str]:
    return [record.task_id for page in pages for record in page.tasks]


async def test_filters_find_every_task_once_newest_first(partition: Partition) -> None:
    store = TaskStore(partition.broker, LIMITS)
    mine = [await submit(store, 7, "a.example", "1"), await submit(store, 7, "b.example", "1")]
    theirs = [await submit(store, 7, "a.example", "2"), await submit(store, 7, "b.example", "2")]
    worker = partition.make_consumer()
    done = await worker.take(10)
    await worker.settle([completed(delivery) for delivery in done])
    finished = {delivery.task_id for delivery in done}
    everything = {*mine[0], *mine[1], *theirs[0], *theirs[1]}
    for query, wanted in (
        (TaskQuery(limit=3), everything),
        (TaskQuery(limit=3, key_id="1"), {*mine[0], *mine[1]}),
        (TaskQuery(limit=4, target="b.example"), {*mine[1], *theirs[1]}),
        (TaskQuery(limit=5, status=TaskStatus.COMPLETED), finished),
        (TaskQuery(limit=50, status=TaskStatus.PENDING, target="a.example", key_id="2"), {*theirs[0]} - finished),
        (TaskQuery(limit=3, key_id="nobody"), set()),
    ):
        pages = await read_all(store, query)
        found = ids_of(pages)
        assert len(found) == len(set(found))
        assert set(found) == wanted
        created = [record.created_ms for page in pages for record in page.tasks]
        assert created == sorted(created, reverse=True)
        assert all(len(page.tasks) <= query.limit for page in pages)


async def test_one_call_looks_at_a_bounded_number_and_the_cursor_goes_on_from_there(
    partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.broker.task_pages.LOOK_LIMIT", 7)
    monkeypatch.setattr("captchad.broker.task_pages.LOOKS_LIMIT", 3)
    store = TaskStore(partition.broker, LIMITS)
    rare = await submit(store, 1, "rare.example")
    await submit(store, 100)
    pages = await read_all(store, TaskQuery(target="rare.example", limit=5))
    assert ids_of(pages) == rare
    assert [len(page.tasks) for page in pages] == [0, 0, 0, 0, 1]
    assert pages[-1].next_cursor is None


async def test_a_page_goes_on_after_a_task_that_is_gone(partition: Partition) -> None:
    store = TaskStore(partition.broker, LIMITS)
    submitted = [(await submit(store, 1))[0] for _ in range(6)]
    page = await store.list_page(TaskQuery(limit=2))
    keys = partition.broker.partitions[0]
    last = page.tasks[-1].task_id
    await partition.broker.client.delete(keys.task(last))
    await partition.broker.client.zrem(keys.recent, last)
    rest = await read_all(store, TaskQuery(limit=2, cursor=page.next_cursor))
    assert sorted(ids_of([page, *rest])) == sorted(submitted)


async def test_tasks_of_one_moment_are_neither_skipped_nor_repeated(partition: Partition) -> None:
    store = TaskStore(partition.broker, LIMITS)
    submitted = await submit(store, 60)
    assert ids_of(await read_all(store, TaskQuery(limit=7))) == sorted(submitted, reverse=True)


async def test_partitions_are_merged_in_order_however_few_are_looked_at(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.broker.task_pages.LOOK_LIMIT", 4)
    broker = Broker(RedisSection(partitions=3), "test", url_override=redis_url)
    await broker.start()
    try:
        store = TaskStore(broker, LIMITS)
        submitted = []
        for number in range(12):
            submitted += await submit(store, 3, f"{'rare' if number % 5 == 0 else 'often'}.example", "1", number % 3)
        for query in (TaskQuery(limit=5), TaskQuery(limit=2, target="rare.example")):
            pages = await read_all(store, query)
            records = [record for page in pages for record in page.tasks]
            order = [(record.created_ms, record.task_id) for record in records]
            assert order == sorted(order, reverse=True)
            wanted = {one for one in submitted if query.target is None} or {
                record.task_id for record in records if record.request.target == "rare.example"
            }
            assert {record.task_id for record in records} == wanted
            assert len(records) == (36 if query.target is None else 9)
    finally:
        await broker.close()
