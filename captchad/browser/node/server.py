"""One `playwright launch-server` process on this machine: a browser for remote workers."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from captchad.browser.browsers.connection import LaunchFailed
from captchad.browser.launch.driver import TEMPORARY_FOLDER_VARIABLE
from captchad.browser.launch.executable import FEATURES_FLAG, FLOODING_FLAG, NOWHERE_URL, QUIET_FLAGS, WEBRTC_FLAG
from captchad.browser.launch.launch_spec import LaunchSpec
from captchad.browser.launch.launcher import PASSED_ON
from captchad.browser.launch.memory import end_largest_renderers, measure_rss_bytes
from captchad.browser.launch.process import SandboxUnusable
from captchad.browser.launch.process_tree import find_marked
from captchad.browser.launch.sandbox import is_sandbox_failure
from captchad.domain.ports import find_local_host, show_host
from captchad.runtime.tethered_process import TetheredProcess

START_SECONDS = 30.0
LINES_READ = 50
MARK = "--captchad-node"
"""A flag that Chromium ignores, by which the browser is found among the server's processes."""

_READY_PREFIX = "ws://"


@dataclass(frozen=True, slots=True)
class ListeningAddress:
    """Where workers connect; whoever knows the secret, the path of the URL, may use the browser."""

    host: str
    port: int
    secret: str = field(repr=False)

    @property
    def own_url(self) -> str:
        """The URL at which this machine itself connects."""
        return f"ws://{show_host(find_local_host(self.host))}:{self.port}/{self.secret}"


class BrowserServer:
    """Starts and ends the server with all its processes; it never outlives this process."""

    def __init__(self, address: ListeningAddress, folder: Path, program: LaunchSpec) -> None:
        self._address = address
        self._program = program
        self._settings_file = folder / "server.json"
        environment = {name: os.environ[name] for name in (*PASSED_ON, "HOME") if name in os.environ}
        command = [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium"]
        self._process = TetheredProcess(
            [*command, "--config", str(self._settings_file)],
            {**environment, TEMPORARY_FOLDER_VARIABLE: str(folder)},
            asyncio.subprocess.PIPE,
        )

    @property
    def is_running(self) -> bool:
        """Whether the server's process is there."""
        return self._process.is_running

    async def start(self) -> None:
        """Start it and wait until it listens; SandboxUnusable or LaunchFailed says why it does not."""
        await asyncio.to_thread(self._write_settings)
        await self._process.start()
        lines: list[str] = []
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._read_line(lines):
                    pass
        except TimeoutError:
            raise LaunchFailed(f"the browser server did not come up within {START_SECONDS:g} s") from None

    async def listen(self) -> None:
        """Read its output until it ends, so that it never blocks on a full pipe."""
        stdout = self._process.stdout
        while stdout is not None and await stdout.readline():
            pass

    async def end(self) -> None:
        """Kill it at once, with all its processes."""
        if self._process.is_running:
            self._process.kill()
            await self._process.wait()

    def measure_rss_bytes(self, own_pid: int) -> int:
        """Return the memory of its browser, 0 where there is none; blocks."""
        pid = find_marked(own_pid, MARK)
        return measure_rss_bytes(pid) if pid is not None else 0

    def end_largest_pages(self, own_pid: int, limit_bytes: int) -> bool:
        """End its browser's pages that take the most; False where the rest still takes more than that; blocks."""
        pid = find_marked(own_pid, MARK)
        return pid is None or end_largest_renderers(pid, limit_bytes) <= limit_bytes

    def _write_settings(self) -> None:
        settings = {
            "headless": True,
            "executablePath": self._program.path,
            "chromiumSandbox": self._program.has_sandbox,
            "args": [*QUIET_FLAGS, WEBRTC_FLAG, FEATURES_FLAG, "--proxy-bypass-list=<-loopback>", MARK],
            "ignoreDefaultArgs": [FLOODING_FLAG],
            # Each worker's contexts name its own proxy; anything else leads nowhere.
            "proxy": {"server": NOWHERE_URL, "bypass": "<-loopback>"},
            "env": self._program.environment,
            "host": self._address.host,
            "port": self._address.port,
            "wsPath": f"/{self._address.secret}",
        }
        # Private before it has content: it holds the secret.
        self._settings_file.touch(mode=0o600)
        self._settings_file.write_text(json.dumps(settings), encoding="utf-8")

    async def _read_line(self, lines: list[str]) -> bool:
        """Read one line of its output; True once it says where it listens."""
        stdout = self._process.stdout
        raw = await stdout.readline() if stdout is not None else b""
        if not raw:
            said = "\n".join(lines)
            failure = SandboxUnusable if is_sandbox_failure(said) else LaunchFailed
            shown = next((line for line in lines if line.strip()), "it ended without output")
            raise failure(f"{self._program.executable} did not start: {shown}")
        line = raw.decode(errors="replace").strip()
        lines.append(line)
        del lines[:-LINES_READ]
        return line.startswith(_READY_PREFIX)
