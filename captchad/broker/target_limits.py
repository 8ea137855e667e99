"""Limits of targets across all workers: visits a minute, pages at once, and closures that a site asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from captchad.broker.connection import Broker
from captchad.broker.consumer import Deferral, Delivery, LimitReason
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.rejections import explain_fill_closed
from captchad.broker.retry_delays import draw_jitter
from captchad.domain.target import Target

MS = 1000
MINUTE_MS = 60_000
GRANTED, FILL_CLOSED, PAUSED = b"granted", b"fill_closed", b"paused"
SHORTEST_PACE_MS = 10
SLOT_WAIT_MS = 1000
"""A freed slot releases the next task at once; this is for the slot of a worker that died, which nobody frees."""

PAUSE_WAIT_MS = 60_000
"""Nobody knows when a pause ends; one of its tasks asks so often, in case nobody has released them."""

REASONS: dict[bytes, LimitReason] = {
    b"rate": "rate",
    b"concurrency": "concurrency",
    b"closed": "closed",
    # Stored as a closure, for releases before this one know no pause.
    b"paused": "closed",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A visit may not begin now: how its task is deferred, and by which limit."""

    deferral: Deferral

    @property
    def reason(self) -> LimitReason:
        """The limit that refused it."""
        return self.deferral.reason


class TargetLimits:
    """Acquires, renews and releases the slots of visits to a target; `consumer` is NAME.INCARNATION."""

    def __init__(self, broker: Broker, consumer: str, lease_seconds: float) -> None:
        self._broker = broker
        self._consumer = consumer
        self._lease_ms = int(lease_seconds * MS)

    async def begin(self, delivery: Delivery, target: Target) -> Refusal | None:
        """Begin a visit, or say why it may not be; a task with a picture counts as one that opens no page.

        AttemptFailed (form_rejected) where the task has a form to fill and `fill` is closed.
        """
        keys = TargetKeys(target.host)
        opens_page = delivery.request.url is not None
        reason, wait_ms = await self._broker.run_fleet_script(
            "visit_begin",
            [keys.visits, keys.holders, keys.closed, keys.waiting, keys.fill_closed, keys.narrowing],
            [
                self._name_holder(delivery),
                self._lease_ms,
                target.max_per_minute,
                target.max_concurrent if opens_page else 0,
                delivery.partition,
                int(delivery.request.fill is not None),
            ],
        )
        if reason == GRANTED:
            return None
        if reason == FILL_CLOSED:
            raise explain_fill_closed(target.host)
        if reason == PAUSED:
            wait_ms = PAUSE_WAIT_MS
        jitter = draw_jitter()
        return plan_refusal(REASONS[reason], wait_ms, target.max_per_minute, jitter)

    async def renew(self, host: str, deliveries: Sequence[Delivery]) -> None:
        """Keep the slots of visits that go on."""
        holders = [self._name_holder(delivery) for delivery in deliveries]
        await self._broker.run_fleet_script("visit_renew", [TargetKeys(host).holders], [self._lease_ms, *holders])

    async def end(self, host: str, delivery: Delivery) -> None:
        """Free a visit's slot, and release the next task deferred for want of one."""
        keys = TargetKeys(host)
        partition = await self._broker.run_fleet_script(
            "visit_end", [keys.holders, keys.waiting], [self._name_holder(delivery)]
        )
        if 0 <= partition < len(self._broker.partitions):
            await self._release_next(keys, partition, delivery.request.target)

    async def close(self, host: str, seconds: float) -> None:
        """Let nobody visit a target for so long."""
        await self._broker.run_fleet_script("target_close", [TargetKeys(host).closed], [int(seconds * MS)])

    async def _release_next(self, keys: TargetKeys, partition: int, queue: str) -> None:
        released, _ = await self._broker.run_script("release_deferred", self._broker.partitions[partition], [queue, 1])
        if not released:
            # Nothing is deferred there any more: the next freed slot must not be offered to an empty queue.
            async with self._broker.guard():
                await self._broker.client.zrem(keys.waiting, partition)

    def _name_holder(self, delivery: Delivery) -> str:
        return f"{self._consumer}:{delivery.task_id}:{delivery.token}"


def plan_refusal(reason: LimitReason, wait_ms: int, visits_per_minute: int, jitter: float) -> Refusal:
    """Decide when a target's deferred tasks are released: never sooner, never faster than the limit allows.

    `wait_ms` is the time until a visit may be granted; for a page's slot nobody knows it.
    """
    if reason == "concurrency":
        pause_ms = int(SLOT_WAIT_MS * jitter)
        return Refusal(Deferral(pause_ms, pause_ms, reason))
    pace_ms = max(SHORTEST_PACE_MS, -(-MINUTE_MS // visits_per_minute))
    return Refusal(Deferral(max(1, wait_ms), pace_ms, reason))
