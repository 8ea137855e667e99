"""The interface of browsers and of their sources, whether they are launched here or reached elsewhere."""

import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

from playwright.async_api import Browser, ProxySettings

from captchad.browser.browsers.hang_judge import Activity
from captchad.browser.browsers.pool_plan import BrowserView
from captchad.egress.proxy_access import ProxyAccess, ProxyAddress
from captchad.runtime.clock import Clock


class LaunchFailed(Exception):
    """The driver or a browser did not come up, or can't be reached."""


AccessOpener = Callable[[], Awaitable[ProxyAccess]]
"""Returns another access to the proxy; OSError where none can be had."""


class BrowserConnection(ABC):
    """One Chromium we are connected to; the pool lends it to pages and decides by its view.

    Every context made in it must get an access of its own by `open_access`: nothing else leads to the network.
    """

    def __init__(self, number: int, browser: Browser, user_agent: str, clock: Clock, open_access: AccessOpener) -> None:
        self.number = number
        self.browser = browser
        self.user_agent = user_agent
        self.version = browser.version
        self.open_access = open_access
        self.pages_served = 0
        self.busy_pages = 0
        self.memory_bytes = 0
        self.is_retired = False
        self.is_killed = self.is_broken = False
        self.end_reason = ""
        self._clock = clock
        self._started_seconds = clock.monotonic_seconds()
        self._luck = random.random()  # noqa: S311 - only spreads recycling

    @property
    @abstractmethod
    def is_alive(self) -> bool:
        """Whether it can serve pages."""

    @abstractmethod
    def describe(self) -> str:
        """Say for the log which browser this is."""

    @abstractmethod
    async def measure(self) -> None:
        """Measure the memory of the whole browser, where its processes can be seen."""

    def retire(self, reason: str, *, is_broken: bool = False) -> None:
        """Give it no further page; it goes once those it has are closed. One that is broken counts as crashed."""
        self.is_broken |= is_broken
        if not self.is_retired:
            self.is_retired, self.end_reason = True, reason

    async def end_largest_pages(self, limit_bytes: int) -> bool:
        """End the pages that take the most until the browser has no more than that; False where that can't be done."""
        del limit_bytes
        return False

    async def read_activity(self) -> Activity | None:
        """Return the CPU time its own processes have had so far; None where they can't be seen."""
        return None

    @abstractmethod
    def kill(self) -> None:
        """End it, or our connection to it, at once: every pending call fails."""

    @abstractmethod
    async def close(self) -> None:
        """Close it, by force if that takes too long."""

    def view(self) -> BrowserView:
        """Return what the pool's plan needs to know."""
        age_seconds = self._clock.monotonic_seconds() - self._started_seconds
        return BrowserView(
            self.number,
            age_seconds,
            self.pages_served,
            self.busy_pages,
            self.memory_bytes,
            self.is_alive,
            self.is_retired,
            self._luck,
        )


class BrowserSource(Protocol):
    """Where browsers come from."""

    @property
    def is_alive(self) -> bool:
        """Whether the browsers it opened can still be reached."""
        ...

    async def open(self) -> BrowserConnection:
        """Return another browser; LaunchFailed or DependencyMissing when there is none."""
        ...

    async def stop(self) -> None:
        """End everything it started; `open` may be called again afterwards."""
        ...


async def refuse_access() -> ProxyAccess:
    """Stand in for an opener where no page is ever opened."""
    raise OSError("no page is opened in this browser")


def describe_proxy(proxy: ProxyAddress) -> ProxySettings:
    """Return the proxy as a context option."""
    # "<-loopback>" removes Chromium's built-in bypass: loopback goes through the proxy too.
    settings: ProxySettings = {"server": proxy.url, "bypass": "<-loopback>"}
    if proxy.password:
        settings |= {"username": proxy.username, "password": proxy.password}
    return settings


async def read_user_agent(browser: Browser) -> str:
    """Return the browser's own User-Agent."""
    session = await browser.new_browser_cdp_session()
    try:
        version = await session.send("Browser.getVersion")
    finally:
        await session.detach()
    return str(version["userAgent"])
