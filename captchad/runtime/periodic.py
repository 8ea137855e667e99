"""A job that runs on a timer and can be woken early."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from captchad.domain.errors import BrokerUnavailable
from captchad.runtime.service import Service

_logger = logging.getLogger(__name__)


class Periodic(Service):
    """Runs `job` at once and then every `interval_seconds`, counted from the end of the last run.

    The job may return the seconds until it wants to run next; the interval is the upper bound. An unavailable broker
    is waited out; any other failure ends `run`, and the supervisor calls it again.
    """

    def __init__(self, name: str, interval_seconds: float, job: Callable[[], Awaitable[float | None]]) -> None:
        self.name = name
        self._interval_seconds = interval_seconds
        self._job = job
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Run the job as soon as possible."""
        self._wake.set()

    async def run(self) -> None:
        """Repeat the job until cancelled."""
        while True:
            # Before the job, not after it: a wake-up during the job asks for another run.
            self._wake.clear()
            pause_seconds = self._interval_seconds
            try:
                wanted_seconds = await self._job()
            except BrokerUnavailable as error:
                # Whoever lost the broker has said so, once; a line of every job each second would hide the rest.
                _logger.debug("%s: %s; trying again", self.name, error.message)
            else:
                if wanted_seconds is not None:
                    pause_seconds = min(pause_seconds, max(0.0, wanted_seconds))
            try:
                await asyncio.wait_for(self._wake.wait(), pause_seconds)
            except TimeoutError:
                continue
