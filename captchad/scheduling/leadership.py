"""Of all schedulers one is active; another takes over when its lease ends."""

import logging

from captchad.broker.housekeeping import LeaderLease
from captchad.broker.leases import LEADER_LEASE_SECONDS, RENEWALS_PER_LEASE
from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service, ServiceHealth
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


class Leadership(Service):
    """Holds the lease while it can; `is_active` says whether it surely holds it now."""

    name = "leadership"

    def __init__(self, lease: LeaderLease, clock: Clock, metrics: Metrics) -> None:
        self._lease = lease
        self._clock = clock
        self._metrics = metrics
        self._held_until = 0.0
        self._was_active = False
        self._periodic = Periodic(self.name, LEADER_LEASE_SECONDS / RENEWALS_PER_LEASE, self._renew)

    @property
    def is_active(self) -> bool:
        """Whether this scheduler runs the maintenance jobs."""
        return self._clock.monotonic_seconds() < self._held_until

    def health(self) -> ServiceHealth:
        """Say whether it is active; a standby is as healthy as the active one."""
        return ServiceHealth(is_ready=True, details={"is_active": self.is_active})

    async def start(self) -> None:
        """Ask for the lease before the first maintenance job."""
        try:
            await self._renew()
        except BrokerUnavailable:
            return

    async def run(self) -> None:
        """Keep or take the lease until cancelled."""
        await self._periodic.run()

    async def close(self) -> None:
        """Let another take over at once."""
        self._held_until = 0.0
        try:
            await self._lease.give_up()
        except BrokerUnavailable:
            return

    async def _renew(self) -> None:
        asked_at = self._clock.monotonic_seconds()
        if await self._lease.hold():
            # From before the call: the lease in Redis begins no earlier, so it is never thought to last too long.
            self._held_until = asked_at + LEADER_LEASE_SECONDS
        if self.is_active != self._was_active:
            self._was_active = self.is_active
            self._metrics.set_is_leader(self.is_active)
            _logger.info("this scheduler is %s", "active" if self.is_active else "standing by")
