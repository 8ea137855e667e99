"""What a role tells its supervisor, as it would tell systemd: that it is ready, and that its event loop turns."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from captchad.runtime.clock import Clock
from captchad.runtime.notify import MICROSECONDS_PER_SECOND, NotifySocket

WATCHDOG_SECONDS = 30.0
"""The silence of an event loop after which its process is ended, as WatchdogSec is in the units."""

EXPECTED_SILENCE_SECONDS = WATCHDOG_SECONDS / 2
"""A loop reports so often; only what comes after that is counted."""

STEP_SECONDS = 1.0
LEAST_SHARE = 0.1
"""What of a silence counts at least: on a machine that is short of CPU for ever, a hang must be found in the end."""

_NANOSECONDS = 1_000_000_000


class RoleNotifications:
    """Listens to one process of a role: the first that speaks at the socket, which only its own user can reach."""

    def __init__(self, clock: Clock) -> None:
        self.is_ready = asyncio.Event()
        self._clock = clock
        self._socket = NotifySocket(self._take)
        self._process_id: int | None = None
        self._beats = 0

    def make_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for the role: it is told of this socket, instead of the one `up` may have itself."""
        # systemd sets it for the process that it started alone.
        kept = {name: value for name, value in environment.items() if name != "WATCHDOG_PID"}
        limit = int(WATCHDOG_SECONDS * MICROSECONDS_PER_SECOND)
        return kept | {"NOTIFY_SOCKET": self._socket.address, "WATCHDOG_USEC": str(limit)}

    async def wait_until_hung(self) -> None:
        """Return once the loop has been silent for too long, by the time in which its process could have run.

        Before its first word nothing is counted.
        """
        beats, silent_seconds, examined = 0, 0.0, _Silence()
        while not examined.is_too_long:
            await self._clock.sleep(STEP_SECONDS)
            # A step however long it took: where this process was kept from running, so was the role.
            silent_seconds += STEP_SECONDS
            if self._beats == 0 or self._beats != beats:
                beats, silent_seconds, examined = self._beats, 0.0, _Silence()
            elif silent_seconds >= EXPECTED_SILENCE_SECONDS and self._process_id is not None:
                examined.add_step(_read_waits_seconds(self._process_id))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def _take(self, process_id: int, states: list[str]) -> None:
        if self._process_id is None:
            self._process_id = process_id
        if process_id != self._process_id:
            return
        self._beats += states.count("WATCHDOG=1")
        if "READY=1" in states:
            self.is_ready.set()


class _Silence:
    """The part of a silence that is examined; what its process spent waiting for a processor is no fault of its own."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._waited_before: Mapping[int, float] | None = None
        self.is_too_long = False

    def add_step(self, waited_seconds: Mapping[int, float]) -> None:
        """Add a step, at whose end the process's threads have waited that long since their start."""
        if self._waited_before is None:
            self._waited_before = waited_seconds
            return
        self._seconds += STEP_SECONDS
        # The longest wait of any thread: the loop may be waiting for another one that has no processor.
        waits = [waited - self._waited_before.get(thread, 0.0) for thread, waited in waited_seconds.items()]
        counted_seconds = max(self._seconds * LEAST_SHARE, self._seconds - max(waits, default=0.0))
        self.is_too_long = counted_seconds >= WATCHDOG_SECONDS - EXPECTED_SILENCE_SECONDS


def _read_waits_seconds(process_id: int) -> dict[int, float]:
    """Return for how long each thread of a process was ready to run without a processor; empty where unknown."""
    found = {}
    try:
        for thread in Path(f"/proc/{process_id}/task").iterdir():
            # Time on a processor, time waiting for one, number of slices.
            found[int(thread.name)] = int((thread / "schedstat").read_text().split()[1]) / _NANOSECONDS
    except (OSError, IndexError, ValueError):
        return found
    return found
