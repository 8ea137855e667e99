"""A child process that, with all its descendants, never outlives its parent."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGABRT, SIGHUP, SIGQUIT, SIGTERM, Signals
from typing import IO

from captchad.runtime import tether

GRACE_SECONDS = 1.5


TETHER_COMMAND = (
    sys.executable,
    # Isolated and without site packages: it starts in milliseconds, whatever is installed.
    "-I",
    "-S",
    str(Path(tether.__file__)),
)


def write_order(command: Sequence[str], grace_seconds: float, linger_seconds: float = 0.0) -> bytes:
    """Return the line that tells a tether what to run, and for how long after its parent's death."""
    order = {"command": list(command), "grace_seconds": grace_seconds, "linger_seconds": linger_seconds}
    return json.dumps(order).encode() + b"\n"


class TetheredProcess:
    """One command under a tether (see tether.py), in a session of its own.

    Its output, both streams together, goes to `output` (a file or descriptor), or is read from `stdout` where that
    is asyncio.subprocess.PIPE. `linger_seconds` is how long it goes on after the parent was killed, before it is
    asked to end.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: int | IO[bytes],
        linger_seconds: float = 0.0,
    ) -> None:
        self._order = write_order(command, GRACE_SECONDS, linger_seconds)
        self._environment = dict(environment)
        self._output = output
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """What it writes, where its output is a pipe."""
        return self._process.stdout if self._process else None

    async def start(self) -> None:
        """Start the command; one that can't be run ends with exit code 127."""
        self._process = await asyncio.create_subprocess_exec(
            *TETHER_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=self._output,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._order)
        # A tether that has ended already shows in wait().
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()

    async def wait(self) -> int:
        """Return the exit code once the command and all its descendants are gone."""
        assert self._process is not None
        return await self._process.wait()

    def terminate(self) -> None:
        """Ask the command to end."""
        self._send(SIGTERM)

    def reload(self) -> None:
        """Ask the command to reload its configuration."""
        self._send(SIGHUP)

    def abort(self) -> None:
        """End the command as systemd's watchdog does: one that can, says where it stands."""
        self._send(SIGABRT)

    def kill(self) -> None:
        """Kill the command and all its descendants at once."""
        self._send(SIGQUIT)

    async def stop(self, grace_seconds: float) -> int:
        """Ask the command to end, kill it after `grace_seconds`; return the exit code."""
        self.terminate()
        try:
            async with asyncio.timeout(grace_seconds):
                return await self.wait()
        except TimeoutError:
            self.kill()
            return await self.wait()

    def _send(self, number: Signals) -> None:
        if self.is_running:
            assert self._process is not None
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
