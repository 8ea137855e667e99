"""The wait for Redis to come back, which all who found it away share."""

import asyncio
from collections.abc import Awaitable, Callable

from captchad.runtime.clock import Clock

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0


class SharedWait:
    """Asks until `is_back` says so, after pauses that double from each to the next.

    A call that fails again soon after a wait belongs to the same trouble: whatever Redis answered in between, the
    pauses go on growing. So nobody repeats a refused call faster than once in the longest pause.
    """

    def __init__(self, is_back: Callable[[], Awaitable[bool]], clock: Clock) -> None:
        self._is_back = is_back
        self._clock = clock
        self._turn = asyncio.Lock()
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._ended_seconds = float("-inf")

    async def wait(self) -> None:
        """Return once Redis is back; at once where somebody else's wait has ended meanwhile."""
        asked_seconds = self._clock.monotonic_seconds()
        async with self._turn:
            if self._ended_seconds > asked_seconds:
                return
            if asked_seconds - self._ended_seconds > LONGEST_PAUSE_SECONDS:
                self._pause_seconds = FIRST_PAUSE_SECONDS
            is_back = False
            while not is_back:
                await self._clock.sleep(self._pause_seconds)
                self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
                is_back = await self._is_back()
            self._ended_seconds = self._clock.monotonic_seconds()
