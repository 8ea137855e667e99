"""Starts and ends Playwright's driver and the Chromium processes under it."""

import asyncio
import contextlib
import logging
import secrets
from typing import Any

from playwright.async_api import Browser, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from captchad.browser.executable import EGRESS_FLAGS, QUIET_FLAGS, find_executable, is_sandbox_usable
from captchad.browser.pool import BrowserView
from captchad.browser.process_tree import (
    find_driver,
    find_marked,
    is_running,
    kill_tree,
    list_children,
    measure_rss_bytes,
)
from captchad.egress.proxy import ProxyAddress
from captchad.runtime.clock import Clock

DRIVER_START_SECONDS = 30.0
LAUNCH_SECONDS = 30.0
STOP_SECONDS = 3.0
_MARK_BYTES = 8

_logger = logging.getLogger(__name__)


class LaunchFailed(Exception):
    """The driver or a browser did not come up."""


class BrowserProcess:
    """One Chromium with its process group."""

    def __init__(self, number: int, browser: Browser, pid: int, user_agent: str, clock: Clock) -> None:
        self.number = number
        self.browser = browser
        self.pid = pid
        self.user_agent = user_agent
        self.version = browser.version
        self.pages_served = 0
        self.busy_pages = 0
        self.memory_bytes = 0
        self.is_retired = False
        self.is_killed = False
        self._clock = clock
        self._started_seconds = clock.monotonic_seconds()

    @property
    def is_alive(self) -> bool:
        """Whether it can serve pages."""
        return not self.is_killed and self.browser.is_connected() and is_running(self.pid)

    def view(self) -> BrowserView:
        """Give what the pool decides with."""
        age_seconds = self._clock.monotonic_seconds() - self._started_seconds
        return BrowserView(
            self.number,
            age_seconds,
            self.pages_served,
            self.busy_pages,
            self.memory_bytes,
            self.is_alive,
            self.is_retired,
        )

    async def measure(self) -> None:
        """Read how much memory the whole browser takes, off the event loop."""
        self.memory_bytes = await asyncio.to_thread(measure_rss_bytes, self.pid)

    def kill(self) -> None:
        """End it at once, with all its children."""
        self.is_killed = True
        kill_tree(self.pid)

    async def close(self) -> None:
        """End it politely, and by force if that takes too long."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.browser.close()
        except (TimeoutError, PlaywrightError):
            _logger.debug("browser %d did not close by itself", self.number)
        finally:
            self.kill()


class PlaywrightDriver:
    """Playwright's node process, started again when it is gone."""

    def __init__(self, configured_executable: str | None, clock: Clock) -> None:
        self._configured_executable = configured_executable
        self._clock = clock
        self._playwright: Playwright | None = None
        self._pid = 0
        self._launched = 0

    @property
    def is_alive(self) -> bool:
        """Whether the driver runs."""
        return self._playwright is not None and is_running(self._pid)

    async def start(self) -> None:
        """Bring the driver up unless it is; LaunchFailed when it does not come."""
        if self.is_alive:
            return
        await self.stop()
        known = list_children()
        try:
            async with asyncio.timeout(DRIVER_START_SECONDS):
                self._playwright = await async_playwright().start()
        except (TimeoutError, PlaywrightError, OSError) as error:
            raise LaunchFailed(f"Playwright's driver did not start: {error or 'no answer'}") from None
        finally:
            self._pid = find_driver(known) or 0

    async def launch(self, proxy: ProxyAddress) -> BrowserProcess:
        """Start one Chromium behind the proxy; LaunchFailed or DependencyMissing when that can't be."""
        await self.start()
        playwright = self._playwright
        if playwright is None:
            raise LaunchFailed("Playwright's driver is not there")
        executable = find_executable(self._configured_executable, playwright.chromium.executable_path)
        mark = f"--captchad-browser={secrets.token_hex(_MARK_BYTES)}"
        try:
            async with asyncio.timeout(LAUNCH_SECONDS):
                browser = await playwright.chromium.launch(**self._options(executable, mark, proxy))
                user_agent = await _read_user_agent(browser)
        except (TimeoutError, PlaywrightError) as error:
            self.kill_marked(mark)
            raise LaunchFailed(f"{executable} did not start: {_first_line(error)}") from None
        pid = find_marked(self._pid, mark)
        if pid is None:
            raise LaunchFailed(f"{executable} ended right after its start")
        self._launched += 1
        return BrowserProcess(self._launched, browser, pid, user_agent, self._clock)

    def kill_marked(self, mark: str) -> None:
        """Kill what a failed launch may have left."""
        pid = find_marked(self._pid, mark) if self._pid else None
        if pid is not None:
            kill_tree(pid)

    def _options(self, executable: str, mark: str, proxy: ProxyAddress) -> dict[str, Any]:
        return {
            "executable_path": executable,
            "headless": True,
            "chromium_sandbox": is_sandbox_usable(),
            "args": [*QUIET_FLAGS, *EGRESS_FLAGS, mark],
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

    async def stop(self) -> None:
        """End the driver and every browser under it."""
        playwright, self._playwright = self._playwright, None
        if playwright is not None:
            with contextlib.suppress(TimeoutError, PlaywrightError, OSError):
                async with asyncio.timeout(STOP_SECONDS):
                    await playwright.stop()
        self.kill()

    def kill(self) -> None:
        """End the driver at once, with every browser under it."""
        pid, self._pid = self._pid, 0
        if pid:
            kill_tree(pid)


async def _read_user_agent(browser: Browser) -> str:
    session = await browser.new_browser_cdp_session()
    try:
        version = await session.send("Browser.getVersion")
    finally:
        await session.detach()
    return str(version["userAgent"])


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else f"no answer within {LAUNCH_SECONDS:g} s"
