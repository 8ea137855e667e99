"""Waiting by push: nobody polls, and nothing is missed when the subscription is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from captchad.broker.connection import Broker
from captchad.broker.events import EPOCH_CHECK_SECONDS, EventFeed
from captchad.broker.redis_keys import EPOCH
from captchad.broker.tasks import TaskStore
from captchad.config.settings import RedisSection
from captchad.domain.errors import TaskNotFound
from captchad.domain.identifier import make_task_id
from captchad.domain.task import TaskStatus
from captchad.runtime.spawn import TaskSet
from tests.integration.protocol import LIMITS, Partition, completed
from tests.patience import PATIENCE_SECONDS, until, until_true
from tests.redis_server import RedisServer


@pytest.fixture
async def feed(partition: Partition) -> AsyncIterator[EventFeed]:
    work = TaskSet("test")
    running = EventFeed(partition.broker, partition.store)
    work.spawn(running.run(), "feed")
    yield running
    await work.cancel_all()


async def test_a_wait_ends_when_the_task_does(partition: Partition, feed: EventFeed) -> None:
    task_id = await partition.submit()
    waiting = asyncio.ensure_future(feed.wait_final(task_id, 10))
    worker = partition.make_consumer()
    await worker.settle([completed((await worker.take(1))[0])])
    assert (await waiting).status is TaskStatus.COMPLETED
    assert feed.health().details["waiters"] == 0


async def test_a_wait_for_an_ended_task_returns_at_once(partition: Partition, feed: EventFeed) -> None:
    task_id = await partition.submit()
    await partition.store.cancel(task_id)
    assert (await feed.wait_final(task_id, 10)).status is TaskStatus.CANCELLED


async def test_a_wait_gives_the_present_state_after_its_time(partition: Partition, feed: EventFeed) -> None:
    task_id = await partition.submit()
    assert (await feed.wait_final(task_id, 0.05)).status is TaskStatus.PENDING


async def test_a_wait_for_an_unknown_task_says_so(feed: EventFeed) -> None:
    with pytest.raises(TaskNotFound):
        await feed.wait_final(make_task_id(0), 10)


async def test_draining_answers_every_wait(partition: Partition, feed: EventFeed) -> None:
    task_id = await partition.submit()
    waiting = asyncio.ensure_future(feed.wait_final(task_id, 60))
    await asyncio.sleep(0)
    await feed.drain()
    assert (await waiting).status is TaskStatus.PENDING


async def test_a_wait_survives_the_loss_of_its_connection(partition: Partition, feed: EventFeed) -> None:
    task_id = await partition.submit()
    waiting = asyncio.ensure_future(feed.wait_final(task_id, 20))
    await until_true(lambda: feed.health().is_ready)
    await partition.broker.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    # Ends while nobody is subscribed: only reading again after the reconnect can find it.
    await partition.store.cancel(task_id)
    assert (await waiting).status is TaskStatus.CANCELLED


async def test_a_listener_hears_every_change_of_a_task(partition: Partition, feed: EventFeed) -> None:
    async with feed.subscription() as events:
        assert (await anext(events)).kind == "reconnected"
        task_id = await partition.submit()
        worker = partition.make_consumer()
        await worker.settle([completed((await worker.take(1))[0])])
        heard = [(await anext(events)).payload for _ in range(3)]
    assert [event["status"] for event in heard] == ["pending", "processing", "completed"]
    assert {event["task_id"] for event in heard} == {task_id}


async def test_a_wait_hears_that_everything_was_deleted(partition: Partition, feed: EventFeed) -> None:
    task_id = await partition.submit()
    # Subscribed, and with the present data's mark: from here on nothing but a look at the mark can tell.
    await feed.wait_final(task_id, 0.01)
    await until(lambda: partition.broker.client.exists(EPOCH))
    waiting = asyncio.ensure_future(feed.wait_final(task_id, PATIENCE_SECONDS))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await partition.broker.client.flushall()
    # Long before the wait's own time is up.
    with pytest.raises(TaskNotFound):
        await asyncio.wait_for(waiting, 10 * EPOCH_CHECK_SECONDS)


async def test_events_of_another_database_are_not_heard(partition: Partition, redis_url: str) -> None:
    other = Broker(RedisSection(), "other", url_override=redis_url.removesuffix("/0") + "/1")
    await other.start()
    work, feed = TaskSet("test"), EventFeed(other, TaskStore(other, LIMITS))
    work.spawn(feed.run(), "feed")
    async with feed.subscription() as events:
        assert (await anext(events)).kind == "reconnected"
        await partition.submit()
        mine = await Partition(other, TaskStore(other, LIMITS), None).submit()  # type: ignore[arg-type]
        assert (await anext(events)).payload["task_id"] == mine
    await work.cancel_all()
    await other.close()


async def test_a_redis_that_goes_away_is_waited_out(own_redis: RedisServer) -> None:
    broker = Broker(RedisSection(), "outage", url_override=own_redis.url)
    await broker.start()
    store = TaskStore(broker, LIMITS)
    work = TaskSet("test")
    feed = EventFeed(broker, store)
    work.spawn(feed.run(), "feed")
    returned = asyncio.Event()
    broker.on_return(returned.set)
    async with feed.subscription() as events:
        assert (await anext(events)).kind == "reconnected"
        own_redis.kill()
        own_redis.start()
        assert (await anext(events)).kind == "reconnected"
    await returned.wait()
    assert broker.health().is_ready
    assert broker.health().details == {"outages": 1}
    await work.cancel_all()
    await broker.close()
