"""Ends a page's renderer process."""

from playwright.async_api import CDPSession

from captchad.browser.browsers.driver_loss import tolerate_loss


async def end_renderer(devtools: CDPSession) -> None:
    """End the page's process at once; nothing else stops what a page has begun."""
    with tolerate_loss():
        await devtools.send("Page.crash")
