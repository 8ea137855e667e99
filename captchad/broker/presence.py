"""Sends this process's heartbeat to the fleet, and less often a full report."""

from collections.abc import Callable

from captchad.broker.connection import Broker
from captchad.broker.leases import RENEWALS_PER_LEASE
from captchad.broker.nodes import NodeRegistry
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.node import NodeReport
from captchad.domain.role_figures import RoleFigures
from captchad.runtime.clock import Clock
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service


class Presence(Service):
    """Beats three times a lease, writes a report every `report_interval_seconds`, and signs off when it closes.

    A heartbeat carries the report along when its figures have changed, so that figures are never older than the last
    change; only the regular reports are announced to watchers.
    """

    name = "presence"

    def __init__(
        self,
        broker: Broker,
        describe: Callable[[], NodeReport],
        lease_seconds: float,
        report_interval_seconds: float,
        clock: Clock,
    ) -> None:
        self._broker = broker
        self._registry = NodeRegistry(broker)
        self._describe = describe
        self._report_interval_seconds = report_interval_seconds
        self._clock = clock
        self._next_report_at = 0.0
        self._written_figures: RoleFigures | None = None
        self._periodic = Periodic(self.name, lease_seconds / RENEWALS_PER_LEASE, self._beat)
        broker.on_return(self.report_now)

    def report_now(self) -> None:
        """Write a report as soon as possible; for changes that can't wait for the next one."""
        self._next_report_at = 0.0
        self._periodic.wake()

    async def start(self) -> None:
        """Be known to the fleet before any work is taken."""
        async with self._broker.waited_out():
            await self._beat()

    async def run(self) -> None:
        """Send heartbeats until cancelled."""
        await self._periodic.run()

    async def drain(self) -> None:
        """Tell the fleet that this process takes nothing new."""
        try:
            await self._registry.write(self._describe(), announce=True)
        except BrokerUnavailable:
            return

    async def close(self) -> None:
        """Sign off; without Redis, the lapsed lease says the same."""
        try:
            await self._registry.forget(self._describe().consumer)
        except BrokerUnavailable:
            return

    async def _beat(self) -> None:
        now, report = self._clock.monotonic_seconds(), self._describe()
        is_due = now >= self._next_report_at
        # A report that is missing was deleted with everything else, and nobody would know this role until the next one.
        if not is_due and report.figures == self._written_figures and await self._registry.beat(report.consumer):
            return
        await self._registry.write(report, announce=is_due)
        self._written_figures = report.figures
        if is_due:
            self._next_report_at = now + self._report_interval_seconds
