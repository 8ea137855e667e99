"""Drops entries of the audit log that are too old, also while nothing is written to it."""

from captchad.broker.audit_log import AuditLog
from captchad.runtime.periodic import Periodic
from captchad.runtime.service import Service
from captchad.scheduling.leadership import Leadership


class AuditRetention(Service):
    """Trims every `interval_seconds`; whoever appends trims too, so that there is little to do."""

    name = "audit-retention"

    def __init__(self, log: AuditLog, leadership: Leadership, interval_seconds: float) -> None:
        self._log = log
        self._leadership = leadership
        self._periodic = Periodic(self.name, interval_seconds, self._trim)

    async def run(self) -> None:
        """Trim until cancelled."""
        await self._periodic.run()

    async def _trim(self) -> None:
        if self._leadership.is_active:
            await self._log.append([])
