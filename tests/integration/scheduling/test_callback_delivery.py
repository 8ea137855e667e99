"""The scheduler sends callbacks: at once, signed, as the API shows the task, and no receiver holds up another."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp import web

from captchad.broker.callbacks import CallbackQueue, DeadCallbacks
from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import LeaderLease
from captchad.client.callbacks import verify_callback
from captchad.config.settings import SchedulerSection
from captchad.domain.callback import read_callback_host, read_secret
from captchad.egress.dialer import CheckedDialer
from captchad.egress.http_post import HttpPoster
from captchad.egress.receiver_scope import ReceiverPolicy
from captchad.egress.resolver import Resolver
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.scheduling import callback_delivery
from captchad.scheduling.callback_delivery import AT_ONCE, CallbackDelivery, CallbackSender
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics
from captchad.web.api.representation import represent_task
from tests.integration.protocol import Partition, completed
from tests.patience import until, until_true

SECRET = "a secret of at least thirty-two characters"


@dataclass
class Receiver:
    """A receiver on this machine; while it hangs it answers nobody."""

    status: int = 204
    open: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[dict[str, object]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0

    async def receive(self, request: web.Request) -> web.Response:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            body = await request.read()
            self.received.append(verify_callback(SECRET, request.headers, body))
            await self.open.wait()
            return web.Response(status=self.status)
        finally:
            self.at_once -= 1


@asynccontextmanager
async def receiving(*, hangs: bool = False) -> AsyncIterator[Receiver]:
    receiver, application = Receiver(), web.Application()
    if not hangs:
        receiver.open.set()
    application.router.add_post("/", receiver.receive)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    yield receiver
    receiver.open.set()
    await runner.cleanup()


@asynccontextmanager
async def delivering(
    partition: Partition, receivers: Iterable[str] = ("127.0.0.1", "localhost"), secret: str | None = SECRET
) -> AsyncIterator[CallbackDelivery]:
    broker, metrics, work, clock = partition.broker, Metrics("scheduler", "s", "0"), TaskSet("test"), Clock()
    leadership = Leadership(LeaderLease(broker, "s.1", 3600), clock, metrics)
    await leadership.start()
    policy = ReceiverPolicy([read_callback_host(one) for one in receivers])
    poster = HttpPoster(CheckedDialer(policy, Resolver(), clock), callback_delivery.TIME_LIMIT_SECONDS)
    key = None if secret is None else read_secret(secret)
    sender = CallbackSender(poster, lambda record: orjson.dumps(represent_task(record)), lambda: key, "0")
    queue = CallbackQueue(broker, broker.partitions[0], SchedulerSection(callback_longest_pause_seconds=0.05))
    feed = EventFeed(broker, partition.store)
    delivery = CallbackDelivery([queue], leadership, feed, sender, metrics)
    for service in (feed, leadership, delivery):
        work.spawn(service.run(), service.name)
    yield delivery
    await delivery.close()
    await work.cancel_all()


async def end_task(partition: Partition, url: str) -> str:
    task_id = await partition.submit(callback_url=url)
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    await worker.settle([completed(delivery)])
    return task_id


async def count_waiting(partition: Partition) -> int:
    return int(await partition.broker.client.zcard(f"{partition.broker.partitions[0].prefix}:callbacks"))


async def test_the_end_of_a_task_is_sent_as_the_api_shows_it(partition: Partition) -> None:
    async with receiving() as receiver, delivering(partition):
        task_id = await end_task(partition, f"http://127.0.0.1:{receiver.port}/")
        await until_true(lambda: len(receiver.received) == 1)
        shown = represent_task(await partition.store.read(task_id))
        assert receiver.received == [json.loads(orjson.dumps(shown))]

        async def is_settled() -> bool:
            return await count_waiting(partition) == 0

        await until(is_settled)


async def test_a_failure_is_tried_again_until_it_is_taken(partition: Partition) -> None:
    async with receiving() as receiver, delivering(partition):
        receiver.status = 500
        await end_task(partition, f"http://127.0.0.1:{receiver.port}/")
        await until_true(lambda: len(receiver.received) >= 3)
        receiver.status = 200

        async def is_settled() -> bool:
            return await count_waiting(partition) == 0

        await until(is_settled)
        assert len({one["task_id"] for one in receiver.received}) == 1


async def test_one_that_hangs_gets_few_at_once_and_holds_up_no_other(partition: Partition) -> None:
    async with receiving(hangs=True) as hanging, receiving() as well, delivering(partition):
        for _ in range(AT_ONCE + 3):
            await end_task(partition, f"http://127.0.0.1:{hanging.port}/")
        await until_true(lambda: hanging.at_once == AT_ONCE)
        sent = {await end_task(partition, f"http://localhost:{well.port}/") for _ in range(AT_ONCE + 3)}
        await until_true(lambda: {one["task_id"] for one in well.received} == sent)
        assert hanging.most_at_once == AT_ONCE
        assert len(hanging.received) == AT_ONCE


async def test_a_scheduler_that_ends_lets_those_under_way_come_to_their_end(partition: Partition) -> None:
    async with receiving(hangs=True) as receiver, delivering(partition) as delivery:
        await end_task(partition, f"http://127.0.0.1:{receiver.port}/")
        await until_true(lambda: receiver.at_once == 1)
        work = TaskSet("test")
        draining = work.spawn(delivery.drain(), "drain")
        await end_task(partition, f"http://127.0.0.1:{receiver.port}/")
        receiver.open.set()
        await draining
        assert await count_waiting(partition) == 1
        assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("receivers", "secret", "why"),
    [
        ((), SECRET, "not in security.callback_hosts"),
        (("127.0.0.1",), None, "security.callback_secret is not set"),
    ],
)
async def test_what_may_not_be_sent_is_not_and_is_given_up_in_time(
    partition: Partition, receivers: tuple[str, ...], secret: str | None, why: str
) -> None:
    async with receiving() as receiver, delivering(partition, receivers, secret):
        task_id = await end_task(partition, f"http://127.0.0.1:{receiver.port}/")
        await partition.age_callbacks(86_400_000)
        dead = DeadCallbacks(partition.broker)

        async def is_dead() -> bool:
            return bool(await dead.list_callbacks(1))

        await until(is_dead)
        assert why in (await dead.show(task_id)).failure
        assert receiver.received == []
