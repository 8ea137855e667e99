"""One subscription for each process: what changed, pushed to whoever waits or watches."""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from captchad.broker.availability import Operation
from captchad.broker.connection import Broker
from captchad.broker.redis_keys import EPOCH
from captchad.broker.tasks import TaskStore
from captchad.domain.errors import BrokerRefused, BrokerUnavailable
from captchad.domain.task import FINAL_STATUSES, TaskRecord
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

_logger = logging.getLogger(__name__)

PING_AFTER_SECONDS = 5.0
"""A subscription only listens, so a ping left unanswered is the only sign that its peer is gone."""
EPOCH_CHECK_SECONDS = 5.0
EPOCH_BYTES = 8
RECONNECT_SECONDS = 0.2
LISTENER_LIMIT = 1000
_SUBSCRIBING = Operation("subscribing", is_write=False)
"""Apart from reading: a process that lacks the right to channels reads all the same."""
_FINAL = frozenset(str(status) for status in FINAL_STATUSES)


@dataclass(frozen=True, slots=True)
class FleetEvent:
    """A change: of a task, of a node, of a target, or that events may have been missed before this one."""

    kind: Literal["task", "node", "target", "reconnected"]
    payload: dict[str, Any]


class EventFeed(Service):
    """Waits for tasks to end and passes changes on to listeners, without polling.

    Pub/sub loses messages, so a wait registers first and reads the record then, and after every reconnect all
    waited tasks are read again. No message says that all data were deleted (FLUSHALL, an empty server in the old one's
    place): that shows in the mark that is stored with them, which each process looks at every few seconds.
    """

    name = "events"

    def __init__(self, broker: Broker, store: TaskStore) -> None:
        self._broker = broker
        self._store = store
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listeners: set[asyncio.Queue[FleetEvent]] = set()
        self._is_subscribed = asyncio.Event()
        self._is_released = False
        self._epoch: bytes | None = None
        self._epoch_watch = Periodic(f"{self.name}-epoch", EPOCH_CHECK_SECONDS, self._check_epoch)
        self._work = TaskSet(self.name)

    def health(self) -> ServiceHealth:
        """Say whether changes arrive."""
        is_ready = self._is_subscribed.is_set()
        details = {"waiters": len(self._waiters), "listeners": len(self._listeners)}
        return ServiceHealth(is_ready, "" if is_ready else "not subscribed to Redis", details)

    async def run(self) -> None:
        """Receive changes until cancelled, subscribing again whenever the connection is lost."""
        watching = self._work.spawn(self._epoch_watch.run(), "epoch")
        try:
            await self._receive_always()
        finally:
            watching.cancel()

    async def _receive_always(self) -> None:
        while True:
            try:
                await self._receive()
            except BrokerUnavailable:
                self._is_subscribed.clear()
                await asyncio.sleep(RECONNECT_SECONDS)
                await self._broker.wait_until_back()

    @contextmanager
    def watch_final(self, task_id: str) -> Iterator[asyncio.Event]:
        """Return an event that is set once the task may have ended; read its record to be sure."""
        event = asyncio.Event()
        self._waiters[task_id].add(event)
        try:
            yield event
        finally:
            self._waiters[task_id].discard(event)
            if not self._waiters[task_id]:
                del self._waiters[task_id]

    async def wait_final(self, task_id: str, timeout_seconds: float) -> TaskRecord:
        """Return the record once the task has ended, or as it is after the timeout; TaskNotFound without one."""
        with self.watch_final(task_id) as ended:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._is_subscribed.wait()
                    record = await self._store.read(task_id)
                    while not record.status.is_final and not self._is_released:
                        _raise_if_cancelled()
                        await ended.wait()
                        ended.clear()
                        record = await self._store.read(task_id)
                    return record
            except TimeoutError:
                return await self._store.read(task_id)

    def release_waiters(self) -> None:
        """Answer every wait now, and from now on at once; the process is about to end."""
        self._is_released = True
        self._is_subscribed.set()
        self._wake(list(self._waiters))

    async def drain(self) -> None:
        """Release everybody who waits: this process will not see the end."""
        self.release_waiters()

    @asynccontextmanager
    async def subscription(self) -> AsyncIterator[AsyncIterator[FleetEvent]]:
        """Return all changes from now on; a listener that is too slow loses the oldest."""
        queue: asyncio.Queue[FleetEvent] = asyncio.Queue(LISTENER_LIMIT)
        self._listeners.add(queue)
        try:
            yield _read_queue(queue)
        finally:
            self._listeners.discard(queue)

    async def _receive(self) -> None:
        async with self._broker.guard():
            subscriber = self._broker.blocking_client.pubsub()
        try:
            async with self._broker.guard(_SUBSCRIBING):
                await self._subscribe(subscriber)
            async with self._broker.guard():
                is_ping_out = False
                while True:
                    message = await subscriber.get_message(timeout=PING_AFTER_SECONDS)
                    if message is None:
                        if is_ping_out:
                            raise TimeoutError("the subscription does not answer")
                        await subscriber.ping()
                        is_ping_out = True
                        continue
                    is_ping_out = False
                    if message["type"] == "message":
                        self._dispatch(message["channel"], message["data"])
        finally:
            await subscriber.aclose()

    async def _subscribe(self, subscriber: Any) -> None:
        channels = [keys.events for keys in self._broker.partitions] + [self._broker.node_events]
        await subscriber.subscribe(*channels)
        awaited = len(channels)
        while awaited:
            message = await subscriber.get_message(timeout=PING_AFTER_SECONDS)
            if message is None:
                raise TimeoutError("the subscription does not answer")
            # Changes that come meanwhile are not lost: all that is waited for is read once this is done.
            awaited -= message["type"] == "subscribe"
        self._is_subscribed.set()
        self._catch_up()

    async def _check_epoch(self) -> None:
        """Have all waited tasks read again where the data are not those of the last look."""
        try:
            epoch = await self._broker.run_fleet_script("epoch", [EPOCH], [secrets.token_hex(EPOCH_BYTES)])
        except BrokerRefused:
            return  # where nothing is written, nothing was deleted
        if self._epoch not in {None, epoch}:
            _logger.warning("the data in Redis were deleted: waited tasks are read again")
            self._catch_up()
        self._epoch = epoch

    def _catch_up(self) -> None:
        self._wake(list(self._waiters))
        self._notify(FleetEvent("reconnected", {}))

    def _dispatch(self, channel: bytes, data: bytes) -> None:
        payload = orjson.loads(data)
        if channel.decode() == self._broker.node_events:
            self._notify(FleetEvent("target" if "target" in payload else "node", payload))
            return
        if payload["status"] in _FINAL:
            self._wake([payload["task_id"]])
        self._notify(FleetEvent("task", payload))

    def _wake(self, task_ids: list[str]) -> None:
        for task_id in task_ids:
            for event in self._waiters.get(task_id, ()):
                event.set()

    def _notify(self, event: FleetEvent) -> None:
        for queue in self._listeners:
            # A slow listener must not hold up the others.
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)


def _raise_if_cancelled() -> None:
    """Raise what Python 3.11's wait_for, which the Redis client uses, may have swallowed: nobody would end the wait."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _read_queue(queue: "asyncio.Queue[FleetEvent]") -> AsyncIterator[FleetEvent]:
    while True:
        yield await queue.get()
