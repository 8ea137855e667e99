"""A browser with an open DevTools port, started by others with --remote-debugging-port."""

import asyncio

from playwright.async_api import Playwright

from captchad.browser.remote.endpoint import Reached, dial_by_address, show_place

CONNECT_SECONDS = 15.0
MS_PER_SECOND = 1000


class CdpEndpoint:
    """Joins a browser by http://HOST:9222 or by its own ws:// address.

    All clients share its default context, so no page is ever opened there; our contexts end with the connection.
    """

    connect_seconds = CONNECT_SECONDS

    def __init__(self, url: str) -> None:
        self.place = show_place(url)
        self._url = url

    async def connect(self, playwright: Playwright) -> Reached:
        """Join the browser."""
        # In a thread: it may look a name up.
        url = await asyncio.to_thread(dial_by_address, self._url)
        return Reached(await playwright.chromium.connect_over_cdp(url, timeout=CONNECT_SECONDS * MS_PER_SECOND))

    async def finish(self) -> None:
        """Do nothing: everything started there ended with the connection."""
