"""A planned failover: nothing dies, and the old master stays writable until Sentinel demotes it ten seconds later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import RedisSection, RedisSentinelSection
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.identifier import make_task_id
from captchad.domain.task import TaskRequest, TaskStatus
from captchad.runtime.spawn import TaskSet
from tests.integration.protocol import TARGET
from tests.patience import until, until_true
from tests.sentinels import SentinelFleet

Answer = TypeVar("Answer")
LIMITS = QueueLimits(tasks=100_000, bytes=100_000_000)
"""More than is submitted until the slowest failover of a busy machine."""


@asynccontextmanager
async def connect(sentinels: SentinelFleet, acknowledgements: int = 0) -> AsyncIterator[Broker]:
    section = RedisSentinelSection(hosts=sentinels.hosts)
    broker = Broker(RedisSection(sentinel=section, min_replicas_acknowledged=acknowledgements), "test")
    try:
        await broker.start()
        yield broker
    finally:
        await broker.close()


def make_task() -> NewTask:
    return NewTask(make_task_id(0), TaskRequest(TARGET, url=f"http://{TARGET}/"))


async def read_port(broker: Broker) -> int:
    async with broker.guard():
        return int((await broker.client.info("server"))["tcp_port"])


def is_still_a_master(sentinels: SentinelFleet, port: int) -> bool:
    return bool(sentinels.ask(port).info("replication")["role"] == "master")


async def try_once(call: Callable[[], Awaitable[Answer]]) -> Answer | None:
    try:
        return await call()
    except BrokerUnavailable:
        return None


async def test_the_new_master_is_followed_long_before_the_old_one_is_demoted(sentinels: SentinelFleet) -> None:
    async with connect(sentinels) as broker:
        before = await asyncio.to_thread(sentinels.order_failover)

        async def has_moved() -> bool:
            return await try_once(lambda: read_port(broker)) not in {None, before}

        await until(has_moved)
        assert is_still_a_master(sentinels, before)


async def test_calls_wait_while_the_master_changes_and_are_answered_by_the_new_one(sentinels: SentinelFleet) -> None:
    async with connect(sentinels) as broker:
        store = TaskStore(broker, LIMITS)
        stored: list[str] = []
        before = await asyncio.to_thread(sentinels.order_failover)
        while sentinels.master_port in {0, before}:
            stored += await try_once(lambda: store.submit([make_task()])) or []
            await asyncio.sleep(0.01)
        assert stored
        keys = broker.partitions[0]
        with sentinels.ask(sentinels.master_port) as new_master:
            assert [task_id for task_id in stored if not new_master.exists(keys.task(task_id))] == []


async def test_who_listens_and_who_waits_is_cut_off_from_the_old_master(sentinels: SentinelFleet) -> None:
    async with connect(sentinels) as broker:
        store, work = TaskStore(broker, LIMITS), TaskSet("test")
        feed = EventFeed(broker, store)
        work.spawn(feed.run(), "feed")
        [task_id] = await store.submit([make_task()])
        await asyncio.to_thread(sentinels.wait_replicas)
        waiting = work.spawn(feed.wait_final(task_id, 60), "wait")
        await until_true(lambda: feed.health().is_ready)
        before = await asyncio.to_thread(sentinels.order_failover)
        await asyncio.to_thread(sentinels.wait_failed_over, before)
        async with connect(sentinels) as another:
            await TaskStore(another, LIMITS).cancel(task_id)
        assert (await waiting).status is TaskStatus.CANCELLED
        assert is_still_a_master(sentinels, before)
        await work.cancel_all()


async def test_a_write_is_no_acknowledgement_unless_most_sentinels_confirm_its_master(sentinels: SentinelFleet) -> None:
    async with connect(sentinels, acknowledgements=1) as broker:
        store = TaskStore(broker, LIMITS)
        assert len(await store.submit([make_task()])) == 1
        sentinels.stop_sentinels(1)
        assert len(await store.submit([make_task()])) == 1
        sentinels.stop_sentinels(2)
        task = make_task()
        with pytest.raises(BrokerUnavailable, match="no majority confirms") as refused:
            await store.submit([task])
        assert refused.value.task_id == task.task_id


async def test_without_acknowledgements_sentinels_that_are_gone_stop_nothing(sentinels: SentinelFleet) -> None:
    async with connect(sentinels) as broker:
        store = TaskStore(broker, LIMITS)
        sentinels.stop_sentinels(3)
        for _ in range(3):
            assert len(await store.submit([make_task()])) == 1


async def test_no_more_connections_to_a_sentinels_master_stay_open_than_are_to_be_kept(
    sentinels: SentinelFleet,
) -> None:
    section = RedisSentinelSection(hosts=sentinels.hosts)
    broker = Broker(RedisSection(sentinel=section, connection_pool_size=2, max_connections=10), "keeping")
    await broker.start()
    await asyncio.gather(*(broker.client.blpop("nothing", 0.2) for _ in range(8)))
    with sentinels.ask(sentinels.master_port) as master:
        assert sum(client["name"] == "keeping" for client in master.client_list()) == 2
    await broker.close()
