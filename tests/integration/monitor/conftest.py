"""A running monitor, a fleet it watches, and a real browser that looks at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright

from captchad.broker.connection import Broker
from captchad.browser.launch.executable import find_executable
from tests.integration.monitor.fleet import MonitorUnderTest, SmallFleet, make_small_fleet
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
async def monitor(broker: Broker) -> AsyncIterator[MonitorUnderTest]:
    """A monitor without keys."""
    running = MonitorUnderTest(broker)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def fleet(broker: Broker) -> SmallFleet:
    """What the monitor watches."""
    return make_small_fleet(broker)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        executable = find_executable(None, playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=executable)
        yield browser
        await browser.close()


class WatchedPage:
    """A page, and everything it should never have: errors, and requests to elsewhere."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self.requested.append(request.url))


@pytest.fixture
async def watched() -> AsyncIterator[WatchedPage]:
    """A page in a real browser."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield WatchedPage(page)
