"""The one moment by which an attempt must have ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.runtime.clock import Clock

SEARCH_SHARE = 0.9
SEARCH_MARGIN_SECONDS = 0.5


class Deadline:
    """Made where an attempt starts and passed down; nothing below sets another.

    `until` is for waits shorter than the attempt. Moments are seconds of the monotonic clock.
    """

    def __init__(self, limit_seconds: float, clock: Clock) -> None:
        self.limit_seconds = max(0.0, limit_seconds)
        self._clock = clock
        self._began_seconds = clock.monotonic_seconds()
        self._timeout: asyncio.Timeout | None = None

    @property
    def search_seconds(self) -> float:
        """The moment at which to stop searching.

        It is a little before the end, so that an attempt fails with what is missing rather than with a timeout.
        """
        return self._began_seconds + max(self.limit_seconds * SEARCH_SHARE, self.limit_seconds - SEARCH_MARGIN_SECONDS)

    @property
    def search_left_seconds(self) -> float:
        """How long may be searched still."""
        return self.search_seconds - self._clock.monotonic_seconds()

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        # asyncio's timeout fires by the event loop's clock, which may be a millisecond ahead of ours.
        has_expired = self._timeout is not None and self._timeout.expired()
        return has_expired or self._remaining_seconds() <= 0

    def until(self, seconds: float) -> float:
        """Return the moment `seconds` from now, or the end of the search where that is sooner."""
        return min(self._clock.monotonic_seconds() + seconds, self.search_seconds)

    @asynccontextmanager
    async def enforce(self) -> AsyncIterator[None]:
        """Cancel what runs inside once the time is up; AttemptFailed (attempt_timeout) then."""
        try:
            async with asyncio.timeout(self._remaining_seconds()) as self._timeout:
                yield
        except TimeoutError:
            # Another timeout inside ended; this one did not.
            if self._timeout is None or not self._timeout.expired():
                raise
            message = f"the attempt took longer than {self.limit_seconds:g} s"
            raise AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message) from None

    def _remaining_seconds(self) -> float:
        return max(0.0, self._began_seconds + self.limit_seconds - self._clock.monotonic_seconds())
