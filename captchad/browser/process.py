"""Starts and ends the Chromium processes of this machine."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from typing import Any

from playwright.async_api import Browser, Playwright
from playwright.async_api import Error as PlaywrightError

from captchad.browser.confinement import (
    Confinement,
    explain_missing_namespaces,
    is_root,
    is_sandbox_failure,
    plan_confinement,
)
from captchad.browser.connection import BrowserConnection, LaunchFailed, read_user_agent
from captchad.browser.driver import STOP_SECONDS, PlaywrightDriver
from captchad.browser.executable import EGRESS_FLAGS, QUIET_FLAGS, find_executable
from captchad.browser.launcher import browser_environment, write_launcher
from captchad.browser.process_tree import (
    await_ends,
    find_marked,
    is_running,
    kill_all,
    kill_tree,
    list_tree,
    measure_rss_bytes,
)
from captchad.browser.workspace import Workspace
from captchad.config.sections import BrowserSection
from captchad.domain.errors import DependencyMissing
from captchad.egress.proxy import ProxyAddress
from captchad.runtime.clock import Clock

LAUNCH_SECONDS = 30.0
_MARK_BYTES = 8

_logger = logging.getLogger(__name__)


class SandboxUnusable(LaunchFailed):
    """The browser did not start because the system keeps its sandbox from working."""


class BrowserProcess(BrowserConnection):
    """One Chromium with its process group."""

    def __init__(self, number: int, browser: Browser, pid: int, user_agent: str, clock: Clock) -> None:
        super().__init__(number, browser, user_agent, clock)
        self.pid = pid

    @property
    def is_alive(self) -> bool:
        """Whether it can serve pages."""
        return not self.is_killed and self.browser.is_connected() and is_running(self.pid)

    def describe(self) -> str:
        """Say which process it is."""
        return f"process {self.pid}"

    async def measure(self) -> None:
        """Read how much memory the whole browser takes, off the event loop."""
        self.memory_bytes = await asyncio.to_thread(measure_rss_bytes, self.pid)

    def kill(self) -> None:
        """End it at once, with all its children."""
        self.is_killed = True
        kill_tree(self.pid)

    async def close(self) -> None:
        """End it politely, and by force if that takes too long; none of its processes is left."""
        tree = await asyncio.to_thread(list_tree, self.pid)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.browser.close()
        except (TimeoutError, PlaywrightError):
            _logger.debug("browser %d did not close by itself", self.number)
        finally:
            self.kill()
            # Its children outlive it by a moment, and are nobody's descendants then.
            kill_all(tree)
        await asyncio.to_thread(await_ends, tree, STOP_SECONDS)


class LaunchedBrowsers:
    """The source that starts browsers on this machine, all under one driver."""

    def __init__(
        self,
        config: BrowserSection,
        find_proxy: Callable[[], ProxyAddress],
        clock: Clock,
        *,
        must_have_sandbox: bool = False,
    ) -> None:
        self._config = config
        self._find_proxy = find_proxy
        self._clock = clock
        self._must_have_sandbox = must_have_sandbox
        self._driver = PlaywrightDriver()
        self._workspace: Workspace | None = None
        self._launched = 0
        self.confinement: Confinement | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the driver runs that every browser here is spoken to through."""
        return self._driver.is_alive

    async def open(self) -> BrowserProcess:
        """Start one Chromium behind the proxy; LaunchFailed or DependencyMissing when that can't be."""
        workspace = self._workspace = self._workspace or Workspace()
        playwright = await self._driver.start(workspace.path)
        executable = find_executable(self._config.executable, playwright.chromium.executable_path)
        if self.confinement is None:
            plan = plan_confinement
            planned = await asyncio.to_thread(plan, self._config.user, executable, workspace.path, is_root=is_root())
            self._take_over(planned)
        try:
            return await self._launch(playwright, executable, workspace)
        except SandboxUnusable:
            self._take_over((self.confinement or Confinement()).without_sandbox(explain_missing_namespaces()))
            return await self._launch(playwright, executable, workspace)

    async def stop(self) -> None:
        """End the driver and every browser under it, and remove their files."""
        await self._driver.stop()
        workspace, self._workspace = self._workspace, None
        if workspace is not None:
            await asyncio.to_thread(workspace.remove)

    def _take_over(self, confinement: Confinement) -> None:
        """Hold browsers like this from now on, and be loud where that is less than it should be."""
        if not confinement.has_sandbox:
            if self._must_have_sandbox:
                raise DependencyMissing(f"production does not run a browser without its sandbox: {confinement.problem}")
            _logger.warning("pages run WITHOUT Chromium's sandbox: %s", confinement.problem)
        self.confinement = confinement

    async def _launch(self, playwright: Playwright, executable: str, workspace: Workspace) -> BrowserProcess:
        mark = f"--captchad-browser={secrets.token_hex(_MARK_BYTES)}"
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                browser = await playwright.chromium.launch(**self._options(executable, mark, workspace))
                user_agent = await read_user_agent(browser)
        except (TimeoutError, PlaywrightError) as error:
            self._kill_marked(mark)
            failure = SandboxUnusable if is_sandbox_failure(str(error)) else LaunchFailed
            raise failure(f"{executable} did not start: {_first_line(error)}") from None
        pid = find_marked(self._driver.pid, mark)
        if pid is None:
            raise LaunchFailed(f"{executable} ended right after its start")
        self._launched += 1
        return BrowserProcess(self._launched, browser, pid, user_agent, self._clock)

    def _kill_marked(self, mark: str) -> None:
        """Kill what a failed launch may have left."""
        pid = find_marked(self._driver.pid, mark) if self._driver.pid else None
        if pid is not None:
            kill_tree(pid)

    def _options(self, executable: str, mark: str, workspace: Workspace) -> dict[str, Any]:
        confinement, proxy = self.confinement or Confinement(), self._find_proxy()
        program = executable
        if confinement.user is not None:
            workspace.give_to(confinement.user.user_id, confinement.user.group_id)
            program = write_launcher(workspace.path, confinement.user, executable, workspace.home)
        return {
            "executable_path": program,
            "headless": True,
            "chromium_sandbox": confinement.has_sandbox,
            "args": [*QUIET_FLAGS, *EGRESS_FLAGS, mark],
            "env": browser_environment(os.environ, workspace.home, workspace.temporary),
            "proxy": {
                "server": proxy.url,
                "bypass": "<-loopback>",
                "username": proxy.username,
                "password": proxy.password,
            },
            # The worker decides when its browser ends, also while it drains after a signal to the whole group.
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        }


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else f"no answer within {LAUNCH_SECONDS:g} s"
