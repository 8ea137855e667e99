"""A chore on a timer that can be woken sooner."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.service import Service

_logger = logging.getLogger(__name__)


class Periodic(Service):
    """Runs `chore` at once and then every `interval_seconds`, counted from the end of the last run.

    The chore may give back the seconds until it wants to run next (at most the interval). A broker that is away
    is waited out; any other failure ends the service, and so the process.
    """

    def __init__(self, name: str, interval_seconds: float, chore: Callable[[], Awaitable[float | None]]) -> None:
        self.name = name
        self._interval_seconds = interval_seconds
        self._chore = chore
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Run the chore as soon as possible."""
        self._wake.set()

    async def run(self) -> None:
        """Repeat the chore until cancelled."""
        while True:
            self._wake.clear()
            pause_seconds = self._interval_seconds
            try:
                wanted_seconds = await self._chore()
            except BrokerUnavailable as error:
                _logger.warning("%s: %s; trying again", self.name, error.message)
            else:
                if wanted_seconds is not None:
                    pause_seconds = min(pause_seconds, max(0.0, wanted_seconds))
            try:
                await asyncio.wait_for(self._wake.wait(), pause_seconds)
            except TimeoutError:
                continue
