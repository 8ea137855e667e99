"""Starts and ends the Chromium processes of this machine."""

import asyncio
import secrets
from typing import Any

from playwright.async_api import Browser, Playwright
from playwright.async_api import Error as PlaywrightError

from captchad.browser.browsers.connection import AccessOpener, BrowserConnection, LaunchFailed, read_user_agent
from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.browsers.hang_judge import Activity
from captchad.browser.launch.driver import STOP_SECONDS, PlaywrightDriver
from captchad.browser.launch.executable import (
    EGRESS_FLAGS,
    FEATURES_FLAG,
    FLOODING_FLAG,
    NOWHERE_URL,
    QUIET_FLAGS,
    find_executable,
    trust_flag,
)
from captchad.browser.launch.launch_spec import LaunchSpec, SandboxPolicy
from captchad.browser.launch.memory import end_largest_renderers, measure_rss_bytes
from captchad.browser.launch.process_activity import is_stopped, read_activity
from captchad.browser.launch.process_tree import (
    await_ends,
    find_marked,
    is_running,
    kill_all,
    kill_tree,
    list_tree,
)
from captchad.browser.launch.sandbox import Sandbox, is_sandbox_failure
from captchad.config.settings import BrowserSection
from captchad.egress.known_browsers import NETWORK_SERVICE
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from captchad.telemetry.logs import shared_logger

LAUNCH_SECONDS = 30.0
_MARK_BYTES = 8

_logger = shared_logger(__name__)


class SandboxUnusable(LaunchFailed):
    """The browser did not start because its sandbox does not work on this system."""


class BrowserProcess(BrowserConnection):
    """One Chromium with its process group."""

    def __init__(
        self,
        number: int,
        browser: Browser,
        pid: int,
        user_agent: str,
        clock: Clock,
        open_access: AccessOpener,
        *,
        driver_pid: int,
    ) -> None:
        super().__init__(number, browser, user_agent, clock, open_access)
        self.pid = pid
        self._driver_pid = driver_pid
        self._network_pid: int | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it can serve pages."""
        if self.is_killed or not self.browser.is_connected() or not is_running(self.pid):
            return False
        # Chromium starts another network process, but that one does not know the contexts' own ways to the proxy.
        return self._network_pid is None or is_running(self._network_pid)

    def describe(self) -> str:
        """Name the process."""
        return f"process {self.pid}"

    async def measure(self) -> None:
        """Read the memory of the whole browser, and once which process has the network, off the event loop."""
        self.memory_bytes = await asyncio.to_thread(measure_rss_bytes, self.pid)
        if self._network_pid is None:
            self._network_pid = await asyncio.to_thread(find_marked, self.pid, f"--utility-sub-type={NETWORK_SERVICE}")

    async def end_largest_pages(self, limit_bytes: int) -> bool:
        """End the renderers that take the most, off the event loop; False where that can't be enough."""
        self.memory_bytes = await asyncio.to_thread(end_largest_renderers, self.pid, limit_bytes)
        return self.memory_bytes <= limit_bytes

    async def read_activity(self) -> Activity:
        """Return the CPU times of its own processes and the driver, read off the event loop."""
        return await asyncio.to_thread(read_activity, self.pid, self._driver_pid)

    def kill(self) -> None:
        """End it and its children at once, and also a stopped driver, which would not notice."""
        self.is_killed = True
        kill_tree(self.pid)
        if is_stopped(self._driver_pid):
            kill_tree(self._driver_pid)

    async def close(self) -> None:
        """Close it, by force if that takes too long; none of its processes is left."""
        tree = await asyncio.to_thread(list_tree, self.pid)
        try:
            with tolerate_loss():
                async with asyncio.timeout(STOP_SECONDS):
                    await self.browser.close()
        except TimeoutError:
            _logger.debug("browser %d did not close by itself", self.number)
        finally:
            self.kill()
            # Its children outlive it for a moment and have another parent by then, so the list made before is used.
            kill_all(tree)
        await asyncio.to_thread(await_ends, tree, STOP_SECONDS)


class LaunchedBrowsers:
    """The source that launches browsers on this machine, all under one driver."""

    def __init__(
        self, config: BrowserSection, proxy: FilteringProxy, clock: Clock, *, must_have_sandbox: bool = False
    ) -> None:
        self._executable = config.executable
        self._proxy = proxy
        self._clock = clock
        self._driver = PlaywrightDriver()
        self._sandboxing = SandboxPolicy(config.user, config.recycle_memory_bytes, must_have_sandbox=must_have_sandbox)
        self._launched = 0

    @property
    def is_alive(self) -> bool:
        """Whether the driver runs, which controls every browser here."""
        return self._driver.is_alive

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox of the browsers; None before the first."""
        return self._sandboxing.sandbox

    async def open(self) -> BrowserProcess:
        """Start one Chromium behind the proxy; LaunchFailed or DependencyMissing when it can't be started."""
        if not self._driver.is_alive:
            # A killed driver leaves its browsers' profiles, which nothing else removes.
            await self.stop()
        playwright = await self._driver.start(self._sandboxing.folder)
        executable = find_executable(self._executable, playwright.chromium.executable_path)
        try:
            return await self._launch(playwright, await self._sandboxing.prepare(executable))
        except SandboxUnusable:
            # Raises in production.
            self._sandboxing.give_up_sandbox()
            return await self._launch(playwright, await self._sandboxing.prepare(executable))

    async def stop(self) -> None:
        """End the driver and every browser under it, and remove their files."""
        await self._driver.stop()
        await self._sandboxing.remove_files()

    async def _launch(self, playwright: Playwright, program: LaunchSpec) -> BrowserProcess:
        # An argument Chromium ignores: the driver does not tell the browser's process id, so it is looked for by
        # this.
        mark = f"--captchad-browser={secrets.token_hex(_MARK_BYTES)}"
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                browser = await playwright.chromium.launch(**self._options(program, mark))
                # Within the same timeout: a browser may start and never answer.
                user_agent = await read_user_agent(browser)
        except (TimeoutError, PlaywrightError) as error:
            self._kill_marked(mark)
            failure = SandboxUnusable if is_sandbox_failure(str(error)) else LaunchFailed
            raise failure(f"{program.executable} did not start: {_first_line(error)}") from None
        pid = find_marked(self._driver.pid, mark)
        if pid is None:
            raise LaunchFailed(f"{program.executable} ended right after its start")
        self._launched += 1
        # A password only where it is needed: with one, the driver intercepts each request, should the proxy ask for it.
        open_access = self._proxy.open_port if await self._proxy.admit(pid) else self._proxy.open_login
        return BrowserProcess(
            self._launched, browser, pid, user_agent, self._clock, open_access, driver_pid=self._driver.pid
        )

    def _kill_marked(self, mark: str) -> None:
        """Kill what a failed launch may have started."""
        pid = find_marked(self._driver.pid, mark) if self._driver.pid else None
        if pid is not None:
            kill_tree(pid)

    def _options(self, program: LaunchSpec, mark: str) -> dict[str, Any]:
        return {
            "executable_path": program.path,
            "headless": True,
            "chromium_sandbox": program.has_sandbox,
            "args": [*QUIET_FLAGS, *EGRESS_FLAGS, trust_flag(self._proxy.key_hash), FEATURES_FLAG, mark],
            "ignore_default_args": [FLOODING_FLAG],
            "env": program.environment,
            # Each context names its own access to the proxy; anything else leads nowhere.
            "proxy": {"server": NOWHERE_URL, "bypass": "<-loopback>"},
            # The worker ends its browser itself: after a signal to the whole group it still has pages to finish.
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        }


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else f"no answer within {LAUNCH_SECONDS:g} s"
