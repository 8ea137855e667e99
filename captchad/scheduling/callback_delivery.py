"""Sends callbacks: each at least once, only to declared receivers, and no receiver holds up another."""

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence

from captchad.broker.callbacks import Callback, CallbackQueue
from captchad.broker.events import EventFeed
from captchad.broker.leases import LEADER_LEASE_SECONDS
from captchad.domain.callback import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from captchad.domain.errors import BrokerUnavailable, TargetNotAllowed
from captchad.domain.plain_text import bound_message
from captchad.domain.task import TaskRecord
from captchad.egress.http_post import HttpPoster, PostFailed
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Requests to one host under way at once; more would hurt a small receiver, and one that hangs holds no others up."""
TIME_LIMIT_SECONDS = 10.0
LEASE_SECONDS = 2 * TIME_LIMIT_SECONDS
INTERVAL_SECONDS = 5.0
MS = 1000
SUCCESS, SUCCESS_END = 200, 300
REDIRECT_END = 400
LEAST_JITTER = 0.5

Represent = Callable[[TaskRecord], bytes]
ReadKey = Callable[[], bytes | None]


class CallbackDelivery(Service):
    """Takes what is due as long as this scheduler leads, and sends it; one whose sender died is due again soon.

    `represent` makes the body of a task that has ended, `read_key` is the signature's key, None without a secret.
    """

    name = "callback-delivery"

    def __init__(
        self,
        queues: Sequence[CallbackQueue],
        leadership: Leadership,
        feed: EventFeed,
        sender: "CallbackSender",
        metrics: Metrics,
    ) -> None:
        self._queues = queues
        self._leadership = leadership
        self._feed = feed
        self._sender = sender
        self._metrics = metrics
        self._random = random.SystemRandom()
        self._under_way: Counter[str] = Counter()
        self._is_draining = False
        self._periodic = Periodic(self.name, INTERVAL_SECONDS, self._claim)
        self._listening = TaskSet(f"{self.name}-feed")
        self._work = TaskSet(self.name)

    async def run(self) -> None:
        """Send callbacks until cancelled."""
        listening = self._listening.spawn(self._listen(), "listen")
        try:
            await self._periodic.run()
        finally:
            listening.cancel()

    async def drain(self) -> None:
        """Take no more, and let those under way come to their end."""
        self._is_draining = True
        await self._work.wait_all()

    async def close(self) -> None:
        """Give up what is under way; it is due again once its lease is over."""
        await self._work.cancel_all()

    async def _listen(self) -> None:
        async with self._feed.subscription() as events:
            async for event in events:
                if event.kind == "reconnected" or "callback" in event.payload:
                    self._periodic.wake()

    async def _claim(self) -> float | None:
        if self._is_draining:
            return None
        if not self._leadership.is_active:
            return LEADER_LEASE_SECONDS
        next_due_seconds = []
        for queue in self._queues:
            rooms = {host: AT_ONCE - number for host, number in self._under_way.items() if number > 0}
            claimed = await queue.claim(LEASE_SECONDS, AT_ONCE, rooms)
            for callback in claimed.callbacks:
                self._under_way[callback.host] += 1
                self._work.spawn(self._deliver(queue, callback, claimed.now_ms), "send")
            next_due_seconds += [claimed.next_due_seconds] if claimed.next_due_seconds is not None else []
        return min(next_due_seconds, default=None)

    async def _send(self, callback: Callback, now_ms: int) -> str | None:
        try:
            return await self._sender.send(callback, now_ms)
        except Exception:
            # One that can't even be written must come to its end like any other.
            _logger.exception("the callback of %s can't be sent", callback.task_id)
            return "an internal error of the scheduler, see its log"

    async def _deliver(self, queue: CallbackQueue, callback: Callback, now_ms: int) -> None:
        try:
            failure = await self._send(callback, now_ms)
            outcome = await queue.settle(callback, failure, self._random.uniform(LEAST_JITTER, 1.0))
            self._metrics.record_callback(outcome)
            if outcome == "dead":
                _logger.warning(
                    "the callback of %s is given up after %d tries: %s", callback.task_id, callback.tries, failure
                )
            elif failure is not None:
                _logger.info("the callback of %s to %s failed: %s", callback.task_id, callback.host, failure)
        except BrokerUnavailable as error:
            # It is due again once its lease is over: sent twice is better than not at all.
            _logger.debug("the callback of %s is not settled: %s", callback.task_id, error.message)
        finally:
            self._under_way[callback.host] -= 1
            if self._under_way[callback.host] == 0:
                del self._under_way[callback.host]
            self._periodic.wake()


class CallbackSender:
    """Signs and sends one callback."""

    def __init__(self, poster: HttpPoster, represent: Represent, read_key: ReadKey, version: str) -> None:
        self._poster = poster
        self._represent = represent
        self._read_key = read_key
        self._user_agent = f"captchad/{version}"

    async def send(self, callback: Callback, now_ms: int) -> str | None:
        """Return why the receiver does not have it, None where it does; `now_ms` is Redis TIME."""
        key = self._read_key()
        if key is None:
            return "security.callback_secret is not set"
        if callback.record is None:
            return "the record of the task can't be read"
        body, timestamp = self._represent(callback.record), now_ms // MS
        headers = [
            ("Content-Type", "application/json"),
            ("User-Agent", self._user_agent),
            (ID_HEADER, callback.task_id),
            (TIMESTAMP_HEADER, str(timestamp)),
            (SIGNATURE_HEADER, sign(key, callback.task_id, timestamp, body)),
        ]
        try:
            status = await self._poster.post(callback.url, headers, body)
        except TargetNotAllowed as error:
            return error.message
        except PostFailed as error:
            return bound_message(str(error))
        if SUCCESS <= status < SUCCESS_END:
            return None
        is_redirect = SUCCESS_END <= status < REDIRECT_END
        return f"it answered {status}{', and redirects are not followed' if is_redirect else ''}"
