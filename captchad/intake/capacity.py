"""How many tasks wait and run, cached for a moment so that not every submit has to ask."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from captchad.broker.nodes import NodeRegistry
from captchad.broker.statistics import Statistics
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.node import count_slots
from captchad.domain.task import Priority
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service
from captchad.runtime.spawn import TaskSet

FIGURES_AGE_SECONDS = 1.0
_PRIORITIES = tuple(Priority)


@dataclass(frozen=True, slots=True)
class CapacityFigures:
    """The fleet at one moment: tasks waiting by queue, tasks in work, slots of workers that are up, recent mean.

    `open_by_target` counts the tasks of each target that wait or run.
    """

    depth: Mapping[str, int]
    processing: int
    slots: int
    mean_processing_seconds: float | None
    open_by_target: Mapping[str, int] = field(default_factory=dict)

    def count_ahead(self, priority: Priority) -> int:
        """Return how many tasks a new one of `priority` waits for."""
        behind = {str(lower) for lower in _PRIORITIES[_PRIORITIES.index(priority) + 1 :]}
        return self.processing + sum(count for name, count in self.depth.items() if name not in behind)


class CapacityGauge(Service):
    """Returns figures about a second old while tasks keep coming; measures nothing while none come."""

    name = "capacity"

    def __init__(self, statistics: Statistics, nodes: NodeRegistry, lease_seconds: float, clock: Clock) -> None:
        self._statistics = statistics
        self._nodes = nodes
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._figures: CapacityFigures | None = None
        self._read_at_seconds = 0.0
        self._submitted_since = 0
        self._on_measured: list[Callable[[Mapping[int, int]], None]] = []
        self._work = TaskSet(self.name)
        # Callers that find the figures stale share one measurement.
        self._measuring = asyncio.Lock()

    def on_measured(self, callback: Callable[[Mapping[int, int]], None]) -> None:
        """Call `callback` with how many tasks wait in each partition, whenever that was measured."""
        self._on_measured.append(callback)

    async def count_ahead(self, priority: Priority) -> tuple[int, CapacityFigures]:
        """Return how many tasks are ahead of a new one, and the figures behind that."""
        if self._figures is None:
            self._figures = await self._measure()
        elif self._is_stale() and not len(self._work):
            self._work.spawn(self._renew(), "renew")
        return self._figures.count_ahead(priority) + self._submitted_since, self._figures

    async def measure_if_stale(self) -> None:
        """Have figures that are no older than a second; without Redis, the old ones stay."""
        async with self._measuring:
            if self._figures is None or self._is_stale():
                await self._renew()

    def note_submitted(self, count: int) -> None:
        """Count tasks that the figures do not include yet."""
        self._submitted_since += count

    async def close(self) -> None:
        """Cancel a measurement under way."""
        await self._work.cancel_all()

    def _is_stale(self) -> bool:
        return self._clock.monotonic_seconds() - self._read_at_seconds > FIGURES_AGE_SECONDS

    async def _renew(self) -> None:
        try:
            self._figures = await self._measure()
        except BrokerUnavailable:
            # The old figures are still the best guess; the submit itself says that the broker is away.
            return

    async def _measure(self) -> CapacityFigures:
        self._read_at_seconds = self._clock.monotonic_seconds()
        status = await self._statistics.queue_status()
        recent = await self._statistics.recent_hour()
        nodes = await self._nodes.read_all(self._lease_seconds)
        self._submitted_since = 0
        for callback in self._on_measured:
            callback(status.pending_by_partition)
        return CapacityFigures(
            status.depth,
            status.processing,
            count_slots(nodes),
            recent.mean_processing_seconds,
            {host: queue.pending + queue.processing for host, queue in status.per_target.items()},
        )
