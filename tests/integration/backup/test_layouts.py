"""Backups under load, and restored into a Sentinel set-up and by a user with the shipped rights alone."""

import asyncio
from collections import Counter

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import Consumer
from captchad.broker.task_pages import TaskQuery
from captchad.broker.tasks import NewTask, TaskStore
from captchad.config.settings import RedisSection
from captchad.domain.identifier import make_task_id
from captchad.domain.task import TaskRequest, TaskStatus
from tests.integration.backup.copying import back_up, open_broker, restore
from tests.integration.broker.test_rights import PASSWORD, read_user
from tests.integration.every_key import HOST
from tests.integration.protocol import DEAD_LETTER_LIMITS, Partition, completed, retryable
from tests.redis_server import RedisServer
from tests.refusals import open_client
from tests.sentinels import SentinelFleet


async def submit(partition: Partition, count: int) -> list[str]:
    request = TaskRequest(target=HOST, url=f"http://{HOST}/", task_deadline_seconds=3600.0)
    return [(await partition.store.submit([NewTask(make_task_id(0), request)]))[0] for _ in range(count)]


async def test_a_sentinel_set_up_gets_every_task(partition: Partition, sentinels: SentinelFleet) -> None:
    worker = partition.make_consumer()
    ids = await submit(partition, 30)
    await worker.settle([completed(one) for one in await worker.take(10)])
    section = RedisSection(
        sentinel={"hosts": sentinels.hosts, "master_name": "mymaster"}, min_replicas_acknowledged=1, partitions=2
    )
    there = Broker(section, "test")
    await there.start()
    restored = await restore(there, await back_up(partition.broker))
    assert restored.kept["task"] == 30
    store = TaskStore(there, partition.store._limits)
    assert [await store.read(task_id) for task_id in ids] == [await partition.store.read(task_id) for task_id in ids]
    page, original = await store.list_page(TaskQuery()), await partition.store.list_page(TaskQuery())
    assert page.tasks == original.tasks
    # A replica has acknowledged all of it.
    replicas = [server for server in sentinels.servers if server.port != sentinels.master_port]
    held = [sentinels.ask(server.port).dbsize() for server in replicas]
    assert max(held) == await there.client.dbsize()
    await there.close()


async def test_the_shipped_rights_are_enough(partition: Partition, own_redis: RedisServer) -> None:
    with open_client(own_redis) as client:
        client.execute_command("ACL", "SETUSER", "captchad", *read_user())
    there = await open_broker(own_redis.url.replace("redis://", f"redis://captchad:{PASSWORD}@"))
    await submit(partition, 3)
    archive = await back_up(partition.broker)
    assert (await restore(there, archive)).kept["task"] == 3
    assert (await restore(there, await back_up(there))).kept["task"] == 3
    await there.close()


@pytest.mark.parametrize("partitions", [1, 4])
async def test_a_backup_under_load_has_each_accepted_task_once(
    partition: Partition, own_redis: RedisServer, partitions: int
) -> None:
    accepted = await submit(partition, 100)
    stopping = asyncio.Event()

    async def work(name: str) -> None:
        consumer = Consumer(partition.broker, partition.broker.partitions[0], name, f"{name}.1", DEAD_LETTER_LIMITS)
        while not stopping.is_set():
            taken = await consumer.take(7)
            await asyncio.sleep(0)
            await consumer.settle([retryable(one) if index % 3 else completed(one) for index, one in enumerate(taken)])
            await partition.make_delayed_due()
            await partition.housekeeping.promote_due()

    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(work(f"w{number}")) for number in range(3)]
        archives = [await back_up(partition.broker) for _ in range(5)]
        stopping.set()
    assert len(workers) == 3
    there, open_counts = await open_broker(own_redis.url, partitions), []
    for archive in archives:
        restored = await restore(there, archive)
        assert restored.kept["task"] == len(accepted)
        store = TaskStore(there, partition.store._limits)
        found = Counter([(await store.read(task_id)).status for task_id in accepted])
        open_count = await there.client.zcard(there.partitions[0].open)
        open_counts.append(open_count)
        assert found[TaskStatus.PENDING] == open_count
        assert found[TaskStatus.PROCESSING] == 0
        assert await _run_to_the_end(there, accepted) == set(accepted)
    # Taken in the middle of it.
    assert any(0 < count < len(accepted) for count in open_counts)
    await there.close()


async def _run_to_the_end(broker: Broker, accepted: list[str]) -> set[str]:
    """Have a worker complete what waits; return the tasks that have ended then, each run at most once more."""
    consumer = Consumer(broker, broker.partitions[0], "last", "last.1", DEAD_LETTER_LIMITS)
    run: Counter[str] = Counter()
    for member in await broker.client.zrange(broker.partitions[0].delayed, 0, -1):
        await broker.client.zadd(broker.partitions[0].delayed, {member: 0})
    await broker.run_script("promote", broker.partitions[0], [1000])
    while taken := await consumer.take(50):
        run.update(one.task_id for one in taken)
        await consumer.settle([completed(one) for one in taken])
    assert set(run.values()) <= {1}
    statuses = [(await broker.client.hget(broker.partitions[0].task(task_id), "status")) for task_id in accepted]
    final = {b"completed", b"failed"}
    return {task_id for task_id, status in zip(accepted, statuses, strict=True) if status in final}
