"""One context with one page: created, observed while in use, and closed."""

from collections.abc import Callable
from typing import Any, Protocol

from playwright.async_api import BrowserContext, CDPSession, Frame, Page, Request, Response, ViewportSize
from playwright.async_api import Error as PlaywrightError

import captchad
from captchad.browser.browsers.connection import BrowserConnection, LaunchFailed, describe_proxy
from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.page.answer_window import find_page
from captchad.browser.page.renderer import end_renderer
from captchad.browser.scripts.isolated_world import MainFrame
from captchad.browser.tabs.traces import Traces
from captchad.egress.proxy_access import ProxyAccess

VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
_SOUND_AND_FILM = ("mp4", "m4v", "m4s", "webm", "ogv", "mov", "mp3", "m4a", "ogg", "wav", "m3u8")
_FONTS = ("woff2", "woff", "ttf", "otf", "eot")
NEEDLESS_URLS = tuple(f"*.{kind}" for kind in (*_SOUND_AND_FILM, *_FONTS))
"""No captcha needs these: its text is as readable in a system font. The egress guard blocks advertisers."""


FRAMES_FLOOD = 300
"""A page that creates this many frames in one attempt keeps its browser from serving other pages."""

REQUESTS_FLOOD = 3000
"""Each request is four events or more in the driver's pipe, which all pages share."""

NAVIGATIONS_FLOOD = 1000
"""Those within a document count too: a browser that does not limit them itself passes on thousands a second."""

WORKERS_FLOOD = 100
"""Each is a thread, and a target that the driver attaches to."""

ADDRESSES_FLOOD_LENGTH = 16_000_000
"""Of all addresses that a page requests or goes to: one alone can have two million characters."""


class TabObserver(Protocol):
    """The events of a page that an attempt handles."""

    def note_request(self, request: Request) -> None:
        """The page sent a request."""

    def note_popup_request(self, request: Request) -> None:
        """A page that this one opened sent a request."""

    def note_response(self, response: Response) -> None:
        """The page got a response."""

    def note_redirect(self, location: str) -> None:
        """A response redirects the page, or a part of it; the browser may not follow."""

    def note_popup(self, popup: Page) -> None:
        """The page opened another one."""

    def note_crash(self) -> None:
        """The page's process is gone."""

    def note_flood(self, reason: str) -> None:
        """The page uses so much of something that other pages would suffer."""


class Tab:
    """Passes events on to the attempt that uses it, and records what the page leaves behind.

    `devtools` is a DevTools session beside Playwright's own objects. Only a watched tab can be reused.
    """

    def __init__(
        self,
        connection: BrowserConnection,
        access: ProxyAccess,
        context: BrowserContext,
        page: Page,
        devtools: CDPSession,
    ) -> None:
        self.connection = connection
        self.access = access
        self.context = context
        self.page = page
        self.devtools = devtools
        self.context_id = ""
        self.main_frame = MainFrame(devtools, "")
        self.traces = Traces()
        self.observer: TabObserver | None = None
        self.has_crashed = False
        self.on_crash: Callable[[], None] | None = None
        self.is_watched = False
        self.pages_served = 0
        self._frames_made = 0
        self._requests_made = 0
        self._navigations_made = 0
        self._workers_made = 0
        self._addresses_length = 0
        context.on("page", self._on_popup)
        # The driver tells a popup's first request before the popup itself.
        context.on("request", self._on_request)
        page.on("crash", self._on_crash)
        page.on("frameattached", self._on_frame)
        page.on("framenavigated", self._on_document)
        page.on("response", self._on_response)

    @property
    def is_usable(self) -> bool:
        """Whether another page can be opened in it, as far as known without asking the browser."""
        connection = self.connection
        is_served = connection.browser.is_connected() and not connection.is_killed and not connection.is_retired
        return is_served and not self.has_crashed and not self.page.is_closed()

    async def prepare(self) -> None:
        """Make the browser skip what no captcha needs."""
        self.devtools.on("Network.responseReceivedExtraInfo", self._on_headers)
        # No buffers: bodies are read through the driver, which keeps its own.
        await self.devtools.send("Network.enable", {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0})
        await self.devtools.send("Network.setBlockedURLs", {"urls": list(NEEDLESS_URLS)})
        target = (await self.devtools.send("Target.getTargetInfo"))["targetInfo"]
        # A page's main frame has its target's id.
        self.main_frame = MainFrame(self.devtools, str(target["targetId"]))
        self.context_id = str(target["browserContextId"])

    async def watch(self) -> None:
        """Subscribe to what the page stores and sends."""
        self.devtools.on("DOMStorage.domStorageItemAdded", self.traces.note_stored)
        self.devtools.on("DOMStorage.domStorageItemUpdated", self.traces.note_stored)
        self.devtools.on("DOMStorage.domStorageItemsCleared", self.traces.note_emptied)
        self.devtools.on("Network.requestWillBeSentExtraInfo", self.traces.note_sent)
        await self.devtools.send("DOMStorage.enable")
        self.is_watched = True

    def begin_page(self, observer: TabObserver) -> None:
        """Let the page have the network, and pass all further events to this observer."""
        self.observer, self._frames_made, self._requests_made = observer, 0, 0
        self._navigations_made = self._workers_made = self._addresses_length = 0
        self.access.open()
        # The renderer of a waiting tab may have died before anybody observed it.
        if self.has_crashed:
            observer.note_crash()

    def note_worker(self, kind: str) -> None:
        """The page, or a worker of it, started a worker of a kind: it goes on for a while when the page has gone."""
        self.traces.note_unknown(f"a {kind}")
        self._workers_made += 1
        if self._workers_made == WORKERS_FLOOD:
            self._note_flood(f"the page starts more than {WORKERS_FLOOD} workers")

    async def ask_network(self) -> None:
        """Wait for an answer of the network process: while that process hangs, pages load for ever."""
        with tolerate_loss():
            # Cookies live in the network process, so this answer has to come from there.
            await self.context.cookies()

    async def end_renderer(self) -> None:
        """End the page at once, whatever it is doing."""
        self.on_crash = None  # that this renderer dies says nothing about those of other tabs
        await end_renderer(self.devtools)

    async def close(self) -> None:
        """Close the context with everything in it."""
        self.observer = None
        await self.context.close()

    def _on_popup(self, popup: Page) -> None:
        if popup == self.page:
            return
        self.traces.note_unknown("another page")
        # What it makes weighs on the browser as the page's own does.
        popup.on("frameattached", self._on_frame)
        popup.on("framenavigated", self._on_document)
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
        # Once, not at every frame after it.
        if self._frames_made == FRAMES_FLOOD:
            self._note_flood(f"the page makes more than {FRAMES_FLOOD} frames")

    def _on_document(self, frame: Frame) -> None:
        self.traces.note_document(frame.url)
        self._navigations_made += 1
        if self._navigations_made == NAVIGATIONS_FLOOD:
            self._note_flood(f"the page makes more than {NAVIGATIONS_FLOOD} navigations")
        self._note_address(frame.url)

    def _note_address(self, url: str) -> None:
        before, self._addresses_length = self._addresses_length, self._addresses_length + len(url)
        if before < ADDRESSES_FLOOD_LENGTH <= self._addresses_length:
            self._note_flood(f"the addresses of the page have more than {ADDRESSES_FLOOD_LENGTH} characters")

    def _note_flood(self, reason: str) -> None:
        if self.observer is not None:
            self.observer.note_flood(reason)

    def _on_request(self, request: Request) -> None:
        self.traces.note_requested(request.url)
        self._requests_made += 1
        if self.observer is not None:
            is_own = find_page(request) == self.page
            note = self.observer.note_request if is_own else self.observer.note_popup_request
            note(request)
        if self._requests_made == REQUESTS_FLOOD:
            self._note_flood(f"the page makes more than {REQUESTS_FLOOD} requests")
        self._note_address(request.url)

    def _on_headers(self, event: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in event["headers"].items()}
        self.traces.note_received(headers)
        if "location" in headers and self.observer is not None:
            self.observer.note_redirect(headers["location"])

    def _on_response(self, response: Response) -> None:
        if self.observer is not None:
            self.observer.note_response(response)


async def open_tab(connection: BrowserConnection, *, is_reusable: bool) -> Tab:
    """Create a context and a page in it; PlaywrightError or LaunchFailed when the browser can't."""
    try:
        access = await connection.open_access()
    except OSError as error:
        raise LaunchFailed(f"a page can't be given a way out: {error}") from None
    try:
        return await _open_tab(connection, access, is_reusable=is_reusable)
    except BaseException:
        access.close()
        raise


async def _open_tab(connection: BrowserConnection, access: ProxyAccess, *, is_reusable: bool) -> Tab:
    context = await connection.browser.new_context(
        accept_downloads=False,
        # A service worker would outlive its page and answer the next one's requests.
        service_workers="block",
        user_agent=f"{connection.user_agent} captchad/{captchad.__version__}",
        viewport=VIEWPORT,
        proxy=describe_proxy(access.address),
    )
    try:
        # The driver's own timeouts are off: the attempt's deadline is the only one.
        context.set_default_timeout(0)
        page = await context.new_page()
        tab = Tab(connection, access, context, page, await context.new_cdp_session(page))
        await tab.prepare()
        if is_reusable:
            await tab.watch()
    except PlaywrightError:
        await context.close()
        raise
    return tab
