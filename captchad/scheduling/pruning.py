"""Forgets what has expired, so that an idle system keeps nothing but results."""

from collections.abc import Sequence

from captchad.broker.housekeeping import Housekeeping
from captchad.broker.nodes import NodeRegistry
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics

CONSUMER_SILENCE_SECONDS = 60.0
"""Many leases, so that a worker cut off for a while finds its consumer again."""


class Pruning(Service):
    """Prunes lists, dead letters and the consumers of workers that are gone, every `interval_seconds`."""

    name = "pruning"

    def __init__(
        self,
        partitions: Sequence[Housekeeping],
        registry: NodeRegistry,
        leadership: Leadership,
        interval_seconds: float,
        metrics: Metrics,
    ) -> None:
        self._partitions = partitions
        self._registry = registry
        self._leadership = leadership
        self._metrics = metrics
        self._periodic = Periodic(self.name, interval_seconds, self._prune)

    async def run(self) -> None:
        """Prune until cancelled."""
        await self._periodic.run()

    async def _prune(self) -> None:
        if not self._leadership.is_active:
            return
        alive = await self._registry.alive_consumers(CONSUMER_SILENCE_SECONDS)
        for housekeeping in self._partitions:
            pruned = await housekeeping.prune(alive)
            self._metrics.record_pruned("recent", pruned.listed)
            self._metrics.record_pruned("dead_letter", pruned.dead_letters)
            self._metrics.record_pruned("consumer", pruned.consumers)
            self._metrics.record_pruned("evidence", pruned.evidence)
            self._metrics.record_pruned("answer", pruned.answers)
            self._metrics.record_pruned("dead_callback", pruned.dead_callbacks)
