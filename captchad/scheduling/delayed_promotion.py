"""Queues tasks whose retry is due, and releases deferred ones at their pace."""

from collections.abc import Sequence

from captchad.broker.events import EventFeed
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.leases import LEADER_LEASE_SECONDS
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics


class DelayedPromotion(Service):
    """Sleeps until the next task is due, at most `interval_seconds`; an earlier retry wakes it."""

    name = "delayed-promotion"

    def __init__(
        self,
        partitions: Sequence[Housekeeping],
        leadership: Leadership,
        feed: EventFeed,
        interval_seconds: float,
        metrics: Metrics,
    ) -> None:
        self._partitions = partitions
        self._leadership = leadership
        self._feed = feed
        self._metrics = metrics
        self._periodic = Periodic(self.name, interval_seconds, self._promote)
        self._work = TaskSet(self.name)

    async def run(self) -> None:
        """Promote until cancelled."""
        listening = self._work.spawn(self._listen(), "listen")
        try:
            await self._periodic.run()
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        async with self._feed.subscription() as events:
            async for event in events:
                # After a reconnect an earlier retry may have been missed.
                if event.kind == "reconnected" or "delay_ms" in event.payload:
                    self._periodic.wake()

    async def _promote(self) -> float | None:
        if not self._leadership.is_active:
            return LEADER_LEASE_SECONDS  # by then this standby may be the active one
        next_due_seconds = []
        for housekeeping in self._partitions:
            sweep = await housekeeping.promote_due()
            self._metrics.record_promoted(sweep.count)
            next_due_seconds += [sweep.next_due_seconds] if sweep.next_due_seconds is not None else []
        return min(next_due_seconds, default=None)
