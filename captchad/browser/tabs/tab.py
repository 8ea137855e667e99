"""One context with its one page, ready to be used: made here, watched while it is used, and ended here."""

import contextlib
from collections.abc import Callable
from typing import Any, Protocol

from playwright.async_api import BrowserContext, CDPSession, Frame, Page, Request, Response, ViewportSize
from playwright.async_api import Error as PlaywrightError

import captchad
from captchad.browser.browsers.connection import BrowserConnection
from captchad.browser.tabs.traces import Traces

VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
_SOUND_AND_FILM = ("mp4", "m4v", "m4s", "webm", "ogv", "mov", "mp3", "m4a", "ogg", "wav", "m3u8")
_FONTS = ("woff2", "woff", "ttf", "otf", "eot")
NEEDLESS_URLS = tuple(f"*.{kind}" for kind in (*_SOUND_AND_FILM, *_FONTS))
"""What no captcha needs: its text is as readable in a font of the system's. Advertisers the egress guard keeps off."""


FRAMES_FLOOD = 300
"""A page that makes so many frames during one attempt keeps its browser from serving other pages."""


class TabObserver(Protocol):
    """What an attempt wants to hear of its page."""

    def note_request(self, request: Request) -> None:
        """The page asks for something."""

    def note_response(self, response: Response) -> None:
        """The page gets an answer."""

    def note_redirect(self, location: str) -> None:
        """Some answer sends the page, or a part of it, elsewhere; the browser may not follow."""

    def note_popup(self, popup: Page) -> None:
        """The page has opened another one."""

    def note_crash(self) -> None:
        """The page's process is gone."""

    def note_flood(self, reason: str) -> None:
        """The page makes so much of something that others would suffer."""


class Tab:
    """Tells the attempt that uses it what happens, and keeps for itself what that leaves behind.

    `devtools` speaks to the page past Playwright's own objects. Only a tab that is watched can be used again.
    """

    def __init__(
        self, connection: BrowserConnection, context: BrowserContext, page: Page, devtools: CDPSession
    ) -> None:
        self.connection = connection
        self.context = context
        self.page = page
        self.devtools = devtools
        self.context_id = ""
        self.traces = Traces()
        self.observer: TabObserver | None = None
        self.has_crashed = False
        self.on_crash: Callable[[], None] | None = None
        self.is_watched = False
        self.pages_served = 0
        self._frames_made = 0
        context.on("page", self._on_popup)
        page.on("crash", self._on_crash)
        page.on("frameattached", self._on_frame)
        page.on("framenavigated", self._on_document)
        page.on("request", self._on_request)
        page.on("response", self._on_response)

    @property
    def is_usable(self) -> bool:
        """Whether another page can be opened in it, as far as is known without asking the browser."""
        connection = self.connection
        is_served = connection.browser.is_connected() and not connection.is_killed and not connection.is_retired
        return is_served and not self.has_crashed and not self.page.is_closed()

    async def prepare(self) -> None:
        """Have the browser leave out what is needless."""
        self.devtools.on("Network.responseReceivedExtraInfo", self._on_headers)
        # Bodies are read through the driver, which keeps its own.
        await self.devtools.send("Network.enable", {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0})
        await self.devtools.send("Network.setBlockedURLs", {"urls": list(NEEDLESS_URLS)})

    async def watch(self) -> None:
        """Have the browser tell what the page stores, and find out the context's name in its protocol."""
        self.devtools.on("DOMStorage.domStorageItemAdded", self.traces.note_stored)
        self.devtools.on("DOMStorage.domStorageItemUpdated", self.traces.note_stored)
        self.devtools.on("DOMStorage.domStorageItemsCleared", self.traces.note_emptied)
        self.devtools.on("Network.requestWillBeSentExtraInfo", self.traces.note_sent)
        await self.devtools.send("DOMStorage.enable")
        target = await self.devtools.send("Target.getTargetInfo")
        self.is_watched = True
        self.context_id = str(target["targetInfo"]["browserContextId"])

    def begin_page(self, observer: TabObserver) -> None:
        """Tell this observer what happens from now on."""
        self.observer, self._frames_made = observer, 0
        if self.has_crashed:
            observer.note_crash()

    async def ask_network(self) -> None:
        """Wait for a word of the browser's network process: while that stands still, pages load without end."""
        with contextlib.suppress(PlaywrightError):
            await self.context.cookies()

    async def close(self) -> None:
        """End the context with everything in it."""
        self.observer = None
        await self.context.close()

    def _on_popup(self, popup: Page) -> None:
        if popup == self.page:
            return
        self.traces.note_unknown("another page")
        if self.observer is not None:
            self.observer.note_popup(popup)

    def _on_crash(self, _: Page) -> None:
        self.has_crashed = True
        if self.observer is not None:
            self.observer.note_crash()
        if self.on_crash is not None:
            self.on_crash()

    def _on_frame(self, _: Frame) -> None:
        self._frames_made += 1
        if self._frames_made == FRAMES_FLOOD and self.observer is not None:
            self.observer.note_flood(f"the page makes more than {FRAMES_FLOOD} frames")

    def _on_document(self, frame: Frame) -> None:
        self.traces.note_document(frame.url)

    def _on_request(self, request: Request) -> None:
        self.traces.note_requested(request.url)
        if self.observer is not None:
            self.observer.note_request(request)

    def _on_headers(self, event: dict[str, Any]) -> None:
        location = next((value for name, value in event["headers"].items() if name.lower() == "location"), None)
        if location is not None and self.observer is not None:
            self.observer.note_redirect(location)

    def _on_response(self, response: Response) -> None:
        if self.observer is not None:
            self.observer.note_response(response)


async def open_tab(connection: BrowserConnection, *, is_reusable: bool) -> Tab:
    """Make a context and a page in it; PlaywrightError when the browser can't."""
    context = await connection.browser.new_context(
        accept_downloads=False,
        service_workers="block",
        user_agent=f"{connection.user_agent} captchad/{captchad.__version__}",
        viewport=VIEWPORT,
        **connection.context_options,
    )
    try:
        context.set_default_timeout(0)
        page = await context.new_page()
        tab = Tab(connection, context, page, await context.new_cdp_session(page))
        await tab.prepare()
        if is_reusable:
            await tab.watch()
    except PlaywrightError:
        await context.close()
        raise
    return tab
