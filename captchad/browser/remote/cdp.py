"""A browser whose DevTools port is open: started by somebody else with --remote-debugging-port."""

import asyncio

from playwright.async_api import Playwright

from captchad.browser.remote.endpoint import Reached, dial_by_address, show_place

CONNECT_SECONDS = 15.0
MS_PER_SECOND = 1000


class CdpEndpoint:
    """Joins a browser by http://HOST:9222 or by its own ws:// address.

    Its default context is every client's, so no page is ever opened there; our own contexts end with the connection.
    """

    connect_seconds = CONNECT_SECONDS

    def __init__(self, url: str) -> None:
        self.place = show_place(url)
        self._url = url

    async def connect(self, playwright: Playwright) -> Reached:
        """Join the browser."""
        url = await asyncio.to_thread(dial_by_address, self._url)
        return Reached(await playwright.chromium.connect_over_cdp(url, timeout=CONNECT_SECONDS * MS_PER_SECOND))

    async def finish(self) -> None:
        """Do nothing: what was begun there ended with the connection."""
