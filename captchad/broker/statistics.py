"""Figures of the whole fleet, added up over all partitions."""

from dataclasses import dataclass, field

from captchad.broker.captcha_watch import CaptchaWatch, WatchedCaptcha
from captchad.broker.connection import Broker
from captchad.broker.redis_keys import COUNTERS, RECOVERED, PartitionKeys
from captchad.domain.task import Priority

MINUTES = 60
MS = 1000
MINUTE_MS = 60_000
STREAM_NAMES = (RECOVERED, *(priority.value for priority in Priority))


@dataclass(slots=True)
class TargetQueue:
    """Open tasks of one target; `deferred` are those of `pending` that wait for the target's limits."""

    pending: int = 0
    processing: int = 0
    deferred: int = 0


@dataclass(slots=True)
class QueueStatus:
    """What waits, where, and for how long; a lost worker's tasks wait in `recovered`, ahead of all others.

    `delayed` counts the tasks that wait for their retry, and the deferred ones. `callbacks` are those of ended tasks;
    the oldest is as old as its task's end.
    """

    depth: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAM_NAMES, 0))
    oldest_age_seconds: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(STREAM_NAMES))
    pending: int = 0
    processing: int = 0
    delayed: int = 0
    dead: int = 0
    dead_bytes: int = 0
    queued_bytes: int = 0
    evidence_bytes: int = 0
    label_bytes: int = 0
    callbacks: int = 0
    oldest_callback_seconds: float | None = None
    dead_callbacks: int = 0
    per_target: dict[str, TargetQueue] = field(default_factory=dict)
    pending_by_partition: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Totals:
    """Counts since the first start; they only grow."""

    submitted: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    retried: int = 0
    workers_lost: int = 0
    dead_lettered: int = 0
    dead_dropped: int = 0
    callbacks_delivered: int = 0
    callbacks_dead: int = 0
    callbacks_dropped: int = 0
    evidence_dropped: int = 0
    labels_dropped: int = 0


@dataclass(slots=True)
class MinuteFigures:
    """What ended in one minute, which began at `minute_ms` (Redis TIME)."""

    minute_ms: int
    completed: int = 0
    failed: int = 0
    processing_ms: int = 0

    @property
    def mean_seconds(self) -> float | None:
        """Mean seconds of a completed task's last attempt."""
        return self.processing_ms / self.completed / MS if self.completed else None


@dataclass(frozen=True, slots=True)
class RecentHour:
    """The last sixty minutes, oldest first."""

    per_minute: tuple[MinuteFigures, ...]

    @property
    def completed(self) -> int:
        """Tasks completed in the hour."""
        return sum(minute.completed for minute in self.per_minute)

    @property
    def failed(self) -> int:
        """Tasks failed in the hour."""
        return sum(minute.failed for minute in self.per_minute)

    @property
    def mean_processing_seconds(self) -> float | None:
        """Mean seconds of a completed task's last attempt over the hour."""
        total_ms = sum(minute.processing_ms for minute in self.per_minute)
        return total_ms / self.completed / MS if self.completed else None


class Statistics:
    """Reads figures; each call is one round trip a partition."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def queue_status(self) -> QueueStatus:
        """Measure all queues."""
        status = QueueStatus()
        for keys in self._broker.partitions:
            pending_before = status.pending
            _add_queue(status, await self._broker.run_script("queue_status", keys, []))
            status.pending_by_partition[keys.partition] = status.pending - pending_before
        return status

    async def totals(self) -> Totals:
        """Add up the counters."""
        totals = Totals()
        names = list(Totals.__dataclass_fields__)
        for counters in (COUNTERS, *(keys.counters for keys in self._broker.partitions)):
            async with self._broker.guard():
                values = await self._broker.client.hmget(counters, names)
            for name, value in zip(names, values, strict=True):
                setattr(totals, name, getattr(totals, name) + int(value or 0))
        return totals

    async def recent_hour(self) -> RecentHour:
        """Read the last sixty minutes."""
        async with self._broker.guard():
            seconds, _ = await self._broker.client.time()
        newest = seconds // MINUTES
        minutes = [MinuteFigures(minute * MINUTE_MS) for minute in range(newest - MINUTES + 1, newest + 1)]
        for keys in self._broker.partitions:
            await self._add_minutes(keys, minutes)
        return RecentHour(tuple(minutes))

    async def captchas(self) -> dict[str, WatchedCaptcha]:
        """Read what is known of every target's captcha, by host."""
        return await CaptchaWatch(self._broker).read_all()

    async def _add_minutes(self, keys: PartitionKeys, minutes: list[MinuteFigures]) -> None:
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            for minute in minutes:
                pipeline.hmget(keys.history(minute.minute_ms // MINUTE_MS), "completed", "failed", "processing_ms")
            rows = await pipeline.execute()
        for minute, (completed, failed, processing_ms) in zip(minutes, rows, strict=True):
            minute.completed += int(completed or 0)
            minute.failed += int(failed or 0)
            minute.processing_ms += int(processing_ms or 0)


def _add_queue(status: QueueStatus, answer: list[object]) -> None:
    """Add one partition's answer of the script queue_status."""
    *figures, counters, deferred = answer
    numbers = [int(figure) for figure in figures]  # type: ignore[call-overload]
    for index, name in enumerate(STREAM_NAMES):
        waiting, oldest_ms = numbers[2 * index], numbers[2 * index + 1]
        status.depth[name] += waiting
        if oldest_ms >= 0:
            status.oldest_age_seconds[name] = max(status.oldest_age_seconds[name] or 0.0, oldest_ms / MS)
    delayed, dead, open_tasks, callbacks, callback_ms, dead_callbacks = numbers[2 * len(STREAM_NAMES) :]
    assert isinstance(counters, list)
    assert isinstance(deferred, list)
    named = {name.decode(): int(value) for name, value in zip(counters[::2], counters[1::2], strict=True)}
    processing = named.get("processing", 0)
    status.delayed += delayed
    status.dead += dead
    status.callbacks += callbacks
    status.dead_callbacks += dead_callbacks
    if callback_ms >= 0:
        status.oldest_callback_seconds = max(status.oldest_callback_seconds or 0.0, callback_ms / MS)
    status.processing += processing
    status.pending += open_tasks - processing
    status.queued_bytes += named.get("queued_bytes", 0)
    status.dead_bytes += named.get("dead_bytes", 0)
    status.evidence_bytes += named.get("evidence_bytes", 0)
    status.label_bytes += named.get("label_bytes", 0)
    for name, value in named.items():
        state, _, target = name.partition(":")
        if state == "open" and target:
            queue = status.per_target.setdefault(target, TargetQueue())
            running = named.get(f"processing:{target}", 0)
            queue.pending, queue.processing = queue.pending + value - running, queue.processing + running
    for target, waiting in zip(deferred[::2], deferred[1::2], strict=True):
        status.per_target.setdefault(target.decode(), TargetQueue()).deferred += waiting
        status.delayed += waiting
