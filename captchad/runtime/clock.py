"""The only place that reads a clock; everything else is given one, so tests can set the time."""

import asyncio
import resource
import time
from datetime import UTC, date, datetime


class Clock:
    """The process's clock: durations from the monotonic one, and the calendar day for expiries."""

    def monotonic_seconds(self) -> float:
        """Return seconds that only grow, for measuring durations."""
        return time.monotonic()

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that this process and its ended children have used."""
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    def today(self) -> date:
        """Return the present day in UTC."""
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
        self._started = self._lap_started = clock.monotonic_seconds()

    def lap_ms(self) -> float:
        """Return the milliseconds since the last lap and begin the next."""
        now = self._clock.monotonic_seconds()
        elapsed, self._lap_started = now - self._lap_started, now
        return round(elapsed * 1000, 2)

    def total_ms(self) -> float:
        """Return the milliseconds since the start."""
        return round((self._clock.monotonic_seconds() - self._started) * 1000, 2)
