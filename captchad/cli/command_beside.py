"""Runs somebody's command beside a fleet, in the same terminal, and ends it in order."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import click

from captchad.runtime.tether import SIGNAL_EXIT_BASE

INTERRUPT_SECONDS = 10.0
"""How long a command may go on after a Ctrl-C, which the terminal has sent to it too."""
END_SECONDS = 10.0


class CommandBeside:
    """One run of a command, which has this process's terminal and standard streams."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        if shutil.which(command[0], path=environment.get("PATH")) is None:
            raise click.UsageError(f"{command[0]} is no program on this machine")
        self._command = command
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, **variables: str) -> int:
        """Run it to its end; return its exit code, or 128 and the number of the signal that ended it."""
        environment = {**self._environment, **variables}
        self._process = await asyncio.create_subprocess_exec(*self._command, env=environment)
        return _read_code(await self._process.wait())

    async def end(self, number: Signals) -> int | None:
        """End it, as this process was asked to by a signal; return its exit code, None where it never ran."""
        process = self._process
        if process is None:
            return None
        following = [(INTERRUPT_SECONDS, SIGTERM), (END_SECONDS, SIGKILL)]
        if number is not SIGINT:
            _send(process, SIGTERM)
            following.pop(0)
        for patience_seconds, harder in following:
            try:
                async with asyncio.timeout(patience_seconds):
                    await process.wait()
            except TimeoutError:
                _send(process, harder)
        return _read_code(await process.wait())


def _read_code(code: int) -> int:
    return code if code >= 0 else SIGNAL_EXIT_BASE - code


def _send(process: asyncio.subprocess.Process, number: Signals) -> None:
    if process.returncode is None:
        process.send_signal(number)
