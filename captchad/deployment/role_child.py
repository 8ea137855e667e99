"""A role as a supervised process of this machine."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from captchad.config.changes import LOGGER as CONFIGURATION_LOGGER
from captchad.deployment.events import Listener, ServiceEvent, ServiceEventKind
from captchad.deployment.log_file import REMEMBERED_LINES, LogFile
from captchad.deployment.log_lines import find_last_words, read_log_line
from captchad.deployment.role_notifications import WATCHDOG_SECONDS, RoleNotifications
from captchad.domain.node import Role
from captchad.domain.ports import find_local_host, show_host
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.runtime.tethered_process import TetheredProcess

CHUNK_BYTES = 65_536
# A process that never ends its line must not fill our memory.
LONGEST_LINE_BYTES = 1_048_576
ABORT_SECONDS = 2.0
"""How long a process that hangs gets to say where."""


@dataclass(frozen=True, slots=True)
class RoleOrder:
    """How a role is started: `name` is its name in the fleet, `stop_seconds` the time it gets to end.

    `scheme` is what its URL begins with.
    """

    role: Role
    label: str
    name: str
    config_path: Path | None
    host: str
    stop_seconds: float
    scheme: str = "http"

    def command(self, port: int) -> list[str]:
        """Return the command line of the role on a port."""
        command = [sys.executable, "-m", "captchad", f"--role={self.role}", f"--name={self.name}"]
        if self.config_path is not None:
            command.append(f"--config={self.config_path}")
        return [*command, f"--host={self.host}", f"--port={port}"]


class RoleChild:
    """One role under a tether; what it writes goes to its log file, and what matters to the listener.

    One whose event loop no longer turns is ended, and so started again like any that ends by itself.
    `choose_port` is called at each start, so that a worker whose port was taken meanwhile gets another.
    """

    def __init__(
        self,
        order: RoleOrder,
        choose_port: Callable[[], int],
        environment: Mapping[str, str],
        log: LogFile,
        listener: Listener,
        clock: Clock,
    ) -> None:
        self._order = order
        self._choose_port = choose_port
        self._environment = environment
        self._log = log
        self._listener = listener
        self._clock = clock
        self._work = TaskSet(order.label)
        self._watching = TaskSet(f"{order.label}.watchdog")
        self._process: TetheredProcess | None = None
        self._notifications: RoleNotifications | None = None
        self.port = 0

    @property
    def name(self) -> str:
        """The label, such as worker-1."""
        return self._order.label

    @property
    def role(self) -> Role:
        """The role it plays."""
        return self._order.role

    @property
    def url(self) -> str:
        """Its URL on this machine."""
        host = find_local_host(self._order.host)
        return f"{self._order.scheme}://{show_host(host)}:{self.port}"

    async def start(self) -> None:
        """Start the role's process."""
        self._log.begin_process()
        self.port = self._choose_port()
        command = self._order.command(self.port)
        notifications = self._notifications = RoleNotifications(self._clock)
        environment = notifications.make_environment(self._environment)
        process = self._process = TetheredProcess(command, environment, asyncio.subprocess.PIPE)
        await process.start()
        assert process.stdout is not None
        self._work.spawn(self._drain_output(process.stdout), "output")
        self._watching.spawn(self._end_when_hung(process, notifications), "watch")

    async def wait_until_ready(self) -> None:
        """Return once the role itself says so: another program may answer at its port."""
        assert self._notifications is not None
        await self._notifications.is_ready.wait()

    async def wait(self) -> int:
        """Return the exit code once the process has ended and its output is read."""
        assert self._process is not None
        assert self._notifications is not None
        code = await self._process.wait()
        await self._watching.cancel_all()
        self._notifications.close()
        await self._work.wait_all()
        self._log.close()
        return code

    async def stop(self) -> None:
        """Let the role drain and end; kill it after `stop_seconds`."""
        if self._process is not None:
            await self._process.stop(self._order.stop_seconds)

    def kill(self) -> None:
        """End the role, and its browsers, at once."""
        if self._process is not None:
            self._process.kill()

    def reload(self) -> None:
        """Pass SIGHUP on."""
        if self._process is not None:
            self._process.reload()

    def read_last_words(self, count: int) -> list[str]:
        """Return the last messages that say why it ended, if any does."""
        return find_last_words(self._log.read_last_lines(REMEMBERED_LINES), count)

    async def _end_when_hung(self, process: TetheredProcess, notifications: RoleNotifications) -> None:
        await notifications.wait_until_hung()
        self._tell(f"its event loop has not turned for {WATCHDOG_SECONDS:.0f} s; ending it", "error")
        process.abort()
        await self._clock.sleep(ABORT_SECONDS)
        process.kill()

    async def _drain_output(self, stream: asyncio.StreamReader) -> None:
        try:
            await self._read_output(stream)
        except Exception:
            # Whatever became of the lines: a role that writes into a full pipe stands still.
            while await stream.read(CHUNK_BYTES):
                continue
            raise

    async def _read_output(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._note(line)
            if len(rest) > LONGEST_LINE_BYTES:
                self._note(rest)
                rest = b""
        if rest:
            self._note(rest)

    def _note(self, line: bytes) -> None:
        failed, lost = self._log.failure, self._log.lost_lines
        self._log.append(line)
        read = read_log_line(line.decode(errors="replace"))
        if read.logger != CONFIGURATION_LOGGER:
            self._tell(read.message, read.level)
        if self._log.failure and not failed:
            self._tell(f"its log {self._log.path} can't be written, and lines are lost: {self._log.failure}", "error")
        elif failed and not self._log.failure:
            self._tell(f"its log is written again; {lost} lines are missing from it", "warning")

    def _tell(self, message: str, level: str) -> None:
        self._listener(ServiceEvent(ServiceEventKind.LOGGED, self.name, message, level))
