"""The only module that reads a clock; everything else gets one as an argument, so tests can set the time."""

import asyncio
import resource
import time
from datetime import UTC, date, datetime


class Clock:
    """The process's clock: monotonic for durations, and the calendar day for expiries."""

    def monotonic_seconds(self) -> float:
        """Return monotonic seconds, for measuring durations."""
        # Setting the host's time must not shorten or lengthen any lease.
        return time.monotonic()

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that this process and its ended children have used."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    def today(self) -> date:
        """Return today's date in UTC."""
        return datetime.now(UTC).date()

    def now_ms(self) -> int:
        """Return this host's wall time in milliseconds, for logs and clock checks; never stored with a task."""
        return int(time.time() * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait for a duration."""
        await asyncio.sleep(seconds)


class Stopwatch:
    """Measures the stages of one piece of work in milliseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_seconds = self._lap_started_seconds = clock.monotonic_seconds()

    def lap_ms(self) -> float:
        """Return the milliseconds since the last lap and begin the next."""
        now_seconds = self._clock.monotonic_seconds()
        elapsed_seconds, self._lap_started_seconds = now_seconds - self._lap_started_seconds, now_seconds
        return round(elapsed_seconds * 1000, 2)

    def total_ms(self) -> float:
        """Return the milliseconds since the start."""
        return round((self._clock.monotonic_seconds() - self._started_seconds) * 1000, 2)
