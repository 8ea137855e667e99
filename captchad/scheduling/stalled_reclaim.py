"""Finds the tasks of lost workers on a timer, on idle queues too, and requeues them."""

import logging
from collections.abc import Sequence

from captchad.broker.connection import Broker
from captchad.broker.housekeeping import Housekeeping, note_lost_workers
from captchad.broker.leases import TASK_LEASE_SECONDS
from captchad.broker.server_contact import contact_server
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.contact import Contact
from captchad.scheduling.leadership import Leadership
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class StalledReclaim(Service):
    """Requeues tasks not renewed for a lease; a standby tracks its own contact too, to be ready when it takes over."""

    name = "stalled-reclaim"

    def __init__(
        self, broker: Broker, partitions: Sequence[Housekeeping], leadership: Leadership, clock: Clock, metrics: Metrics
    ) -> None:
        self._broker = broker
        self._partitions = partitions
        self._leadership = leadership
        self._clock = clock
        self._metrics = metrics
        self._contact = Contact(TASK_LEASE_SECONDS)
        self._periodic = Periodic(self.name, TICK_SECONDS, self._reclaim)

    async def run(self) -> None:
        """Reclaim every second until cancelled."""
        await self._periodic.run()

    async def _reclaim(self) -> None:
        try:
            sign = await contact_server(self._broker)
        except BrokerUnavailable:
            self._contact.note_silence()
            raise
        self._contact.note_answer(sign.run_id, sign.time_ms, self._clock.monotonic_seconds())
        if not self._leadership.is_active or not self._contact.is_trusted(self._clock.monotonic_seconds()):
            return
        lost: set[str] = set()
        for housekeeping in self._partitions:
            reclaimed = await housekeeping.reclaim_stalled(TASK_LEASE_SECONDS, self._contact.away_until_ms)
            self._metrics.record_reclaimed("requeued", reclaimed.requeued + reclaimed.blameless)
            self._metrics.record_reclaimed("dead", reclaimed.dead_lettered)
            if any((reclaimed.requeued, reclaimed.blameless, reclaimed.dead_lettered)):
                _logger.warning(
                    "tasks of lost workers: %d requeued, %d requeued at no cost, %d dead-lettered",
                    reclaimed.requeued, reclaimed.blameless, reclaimed.dead_lettered,
                )  # fmt: skip
            lost |= reclaimed.consumers
        if lost:
            await note_lost_workers(self._broker, lost)
