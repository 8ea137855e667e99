"""Ends a worker's work: finishes what can be finished in time, and hands the rest back."""

import asyncio

from captchad.runtime.service import Service
from captchad.solving.attempts import Abandonment, Attempts
from captchad.solving.settlement import Settler


class AttemptDrain(Service):
    """Drained after the delivery loops: waits `drain_seconds` for attempts, then hands back and writes outcomes."""

    name = "attempts"

    def __init__(self, attempts: Attempts, settler: Settler, drain_seconds: float) -> None:
        self._attempts = attempts
        self._settler = settler
        self._drain_seconds = drain_seconds

    async def drain(self) -> None:
        """Return once no attempt runs and every outcome is written."""
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self._attempts.wait_all()
        except TimeoutError:
            for attempt in self._attempts.unsettled:
                self._attempts.abandon(attempt.delivery.task_id, Abandonment.HANDED_BACK)
            await self._attempts.wait_all()
        await self._settler.wait_empty()
