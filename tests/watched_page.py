"""A page in a real browser, watched for what it should never do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright, expect

from captchad.browser.launch.executable import find_executable
from tests.patience import PATIENCE_SECONDS

expect.set_options(timeout=PATIENCE_SECONDS * 1000)

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


class WatchedPage:
    """A page, and everything it should never have: errors, and requests to elsewhere."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self.requested.append(request.url))


@asynccontextmanager
async def watch_page() -> AsyncIterator[WatchedPage]:
    """Open a page of desktop size in a browser of its own."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport=WIDE)
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield WatchedPage(page)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        executable = find_executable(None, playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=executable)
        yield browser
        await browser.close()
