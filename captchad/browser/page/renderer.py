"""Ends a page's renderer process."""

import contextlib

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError


async def end_renderer(devtools: CDPSession) -> None:
    """End the page's process at once; nothing else stops what a page has begun."""
    with contextlib.suppress(PlaywrightError):
        await devtools.send("Page.crash")
