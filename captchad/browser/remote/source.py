"""The source of remote browsers: the first endpoint that answers, and the next when that is gone."""

import asyncio
from collections.abc import Sequence
from math import inf

from playwright.async_api import Browser, Playwright

from captchad.browser.browsers.connection import AccessOpener, LaunchFailed, read_user_agent
from captchad.browser.launch.driver import PlaywrightDriver
from captchad.browser.launch.profile_folder import ProfileFolder
from captchad.browser.remote.connection import Greeting, RemoteBrowser
from captchad.browser.remote.endpoint import Reached, RemoteEndpoint
from captchad.browser.remote.inspection import inspect_flags
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.logs import shared_logger

REST_SECONDS = 3.0
"""How long a failed endpoint is skipped, so that not every page waits for its timeout."""

DOUBT_SECONDS = 60.0
"""How long a failed endpoint is tried after all others."""

FIRST_WORDS_SECONDS = 10.0

_logger = shared_logger(__name__)


class RemoteBrowsers:
    """Connects to the endpoints, in their order of preference; each connection has a driver of its own."""

    def __init__(
        self,
        endpoints: Sequence[RemoteEndpoint],
        open_access: AccessOpener,
        clock: Clock,
        *,
        must_have_sandbox: bool = False,
    ) -> None:
        self._endpoints = tuple(endpoints)
        self._open_access = open_access
        self._clock = clock
        self._must_have_sandbox = must_have_sandbox
        self._failed_seconds: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self._folder: ProfileFolder | None = None
        self._opened = 0
        self._work = TaskSet("remote-browsers")

    @property
    def is_alive(self) -> bool:
        """Always true: no driver is shared, so each browser knows by itself whether it is alive."""
        return True

    async def open(self) -> RemoteBrowser:
        """Reach the first endpoint that can be reached; LaunchFailed names what is wrong with each where none can."""
        for endpoint in self._order():
            if self._since_failure_seconds(endpoint) < REST_SECONDS:
                continue
            try:
                reached = await self._reach(endpoint)
            except LaunchFailed as error:
                self._problems[endpoint.place] = str(error)
                self._failed_seconds[endpoint.place] = self._clock.monotonic_seconds()
                if self._opened or len(self._endpoints) > 1:
                    _logger.warning("%s", error)
            else:
                self._problems.pop(endpoint.place, None)
                self._failed_seconds.pop(endpoint.place, None)
                return reached
        raise LaunchFailed("; ".join(self._problems.values()) or "there is no browser to reach")

    def _order(self) -> list[RemoteEndpoint]:
        """Return the endpoints in order of preference, but those that failed lately last, as they may time out."""
        return sorted(self._endpoints, key=lambda endpoint: self._since_failure_seconds(endpoint) < DOUBT_SECONDS)

    def _since_failure_seconds(self, endpoint: RemoteEndpoint) -> float:
        failed_seconds = self._failed_seconds.get(endpoint.place)
        return inf if failed_seconds is None else self._clock.monotonic_seconds() - failed_seconds

    async def stop(self) -> None:
        """End what was abandoned half-way, and remove the drivers' files; connections are closed one by one."""
        await self._work.wait_all()
        await asyncio.gather(*(endpoint.finish() for endpoint in self._endpoints))
        folder, self._folder = self._folder, None
        if folder is not None:
            await asyncio.to_thread(folder.remove)

    async def _reach(self, endpoint: RemoteEndpoint) -> RemoteBrowser:
        folder = self._folder = self._folder or ProfileFolder()
        # One each: killing it is the only way to fail this browser's pending calls at once.
        driver = PlaywrightDriver()
        try:
            reached, greeting = await self._connect(endpoint, await driver.start(folder.path))
        except LaunchFailed:
            await driver.stop()
            raise
        except BaseException:
            driver.kill()
            # Cancelled: killed at once, and waited for in the background.
            self._work.spawn(driver.stop(), "stop-driver")
            raise
        self._opened += 1
        _logger.info("browser %d is the one at %s (Chromium %s)", self._opened, endpoint.place, reached.browser.version)
        return RemoteBrowser(self._opened, endpoint.place, reached, greeting, driver, self._clock, self._open_access)

    async def _connect(self, endpoint: RemoteEndpoint, playwright: Playwright) -> tuple[Reached, Greeting]:
        reached: Reached | None = None
        try:
            async with asyncio.timeout(endpoint.connect_seconds + FIRST_WORDS_SECONDS):
                reached = await endpoint.connect(playwright)
                return reached, await self._get_acquainted(reached.browser, endpoint.place)
        except LaunchFailed:
            await _leave(reached)
            raise
        except Exception as error:  # noqa: BLE001 - a driver that ends raises a bare Exception
            await _leave(reached)
            raise LaunchFailed(f"no browser at {endpoint.place}: {_describe(error)}") from None
        except BaseException:
            self._work.spawn(_leave(reached), "leave")
            raise

    async def _get_acquainted(self, browser: Browser, place: str) -> Greeting:
        # First: no page may run in a browser that lets it around the proxy.
        await inspect_flags(browser, place, must_have_sandbox=self._must_have_sandbox)
        asked_seconds = self._clock.monotonic_seconds()
        user_agent = await read_user_agent(browser)
        return Greeting(user_agent, self._clock.monotonic_seconds() - asked_seconds)


async def _leave(reached: Reached | None) -> None:
    """Release a browser that was reached but can't be used."""
    if reached is None:
        return
    try:
        async with asyncio.timeout(FIRST_WORDS_SECONDS):
            await reached.leave()
    except (TimeoutError, OSError) as error:
        _logger.warning("an unused browser could not be released: %s", _describe(error))


def _describe(error: BaseException) -> str:
    """Return the first line without the address, whose path may be a secret."""
    text = str(error).strip()
    first = text.splitlines()[0] if text else "no answer in time"
    return " ".join(word for word in first.split() if "://" not in word)
