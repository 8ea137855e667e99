"""Ends tasks that have passed their deadline."""

import logging
from collections.abc import Sequence

from captchad.broker.housekeeping import Housekeeping
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Deadlines(Service):
    """Checks every second, since a new task may be due before all others, and at once while there is more to end."""

    name = "deadlines"

    def __init__(self, partitions: Sequence[Housekeeping], leadership: Leadership, metrics: Metrics) -> None:
        self._partitions = partitions
        self._leadership = leadership
        self._metrics = metrics
        self._periodic = Periodic(self.name, TICK_SECONDS, self._expire)

    async def run(self) -> None:
        """Expire tasks until cancelled."""
        await self._periodic.run()

    async def _expire(self) -> float | None:
        if not self._leadership.is_active:
            return None
        has_more = False
        for housekeeping in self._partitions:
            sweep = await housekeeping.expire_overdue()
            self._metrics.record_expired(sweep.count)
            if sweep.count:
                _logger.warning("%d tasks failed: they passed their deadline", sweep.count)
            has_more |= sweep.has_more
        return 0.0 if has_more else None
