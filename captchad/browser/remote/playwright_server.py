"""A browser behind `playwright launch-server`: one browser for several clients, each with contexts of its own."""

from playwright.async_api import Playwright

from captchad.browser.remote.endpoint import Reached, show_place

CONNECT_SECONDS = 15.0
MS_PER_SECOND = 1000


class PlaywrightServerEndpoint:
    """Joins a server by its WebSocket address, whose path is the secret."""

    connect_seconds = CONNECT_SECONDS

    def __init__(self, url: str) -> None:
        self.place = show_place(url)
        self._url = url

    async def connect(self, playwright: Playwright) -> Reached:
        """Join the server's browser; our contexts end with the connection."""
        return Reached(await playwright.chromium.connect(self._url, timeout=CONNECT_SECONDS * MS_PER_SECOND))

    async def finish(self) -> None:
        """Do nothing: everything started there ended with the connection."""
