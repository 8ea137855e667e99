"""One attempt in a tab that nobody else has: open the page, find the captcha, take its picture."""

import asyncio
import base64
import contextlib
from collections.abc import Callable

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request, Response
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from captchad.browser.browsers.connection import BrowserConnection
from captchad.browser.finding.finder import CaptchaFinder, read_finder_script
from captchad.browser.finding.pictures import PictureRecorder, read_picture
from captchad.browser.forms.form_visit import FormVisit, PageWork, Taken
from captchad.browser.page.navigation_outcome import NavigationOutcome, is_abort, is_crash_sign
from captchad.browser.page.retry_after import refuse_overload
from captchad.browser.page.session_state import SessionInput, read_session
from captchad.browser.tabs.tab import FRAMES_FLOOD, Tab
from captchad.browser.tabs.tab_plan import TabOwner
from captchad.browser.tabs.tab_pool import TabPool
from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.visit import SessionState, VisitOrder
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock, Stopwatch
from captchad.runtime.spawn import TaskSet

HTTP_ERROR_STATUS = 400
READ_TRIES = 3
DOCUMENT_MS = 5000
SIGN_OF_LIFE_SECONDS = 3.0
_IS_DRAWN = "document.images.length === 1 && document.images[0].naturalWidth > 0"


class PageSession:
    """Has one tab from its taking to its end."""

    def __init__(
        self,
        process: BrowserConnection,
        tabs: TabPool,
        owner: TabOwner | None,
        proxy: FilteringProxy,
        clock: Clock,
        keeper: TaskSet,
    ) -> None:
        self.process = process
        self._tabs = tabs
        self._owner = owner
        self._proxy = proxy
        self._clock = clock
        self._keeper = keeper
        self._recorder = PictureRecorder()
        self._outcome = NavigationOutcome(proxy, clock.monotonic_seconds())
        self._tab: Tab | None = None
        self._page: Page | None = None
        self._order = VisitOrder("", "")
        self._form: FormVisit | None = None
        self._status: int | None = None
        self._is_flooded = False
        self._open_ms = 0.0
        self._locate_ms = 0.0
        # Made in a task of its own: an attempt that is given up must still close a context that comes late.
        self._opening = keeper.spawn(self._take_tab(), "open")

    async def open(self, order: VisitOrder, deadline_seconds: float) -> None:
        """Open the page of `order`; AttemptFailed says what went wrong. The captcha is sought until the deadline."""
        self._order = order
        stopwatch = Stopwatch(self._clock)
        try:
            self._page = page = await self._open_page()
            self._form = FormVisit(page, order, self._offer_work(page), self._clock, self._keeper, deadline_seconds)
            response = await self._go(page, order)
        except PlaywrightError as error:
            raise await self._explain(error) from None
        self._status = response.status if response is not None else None
        self._open_ms = stopwatch.lap_ms()

    async def capture(self) -> CaptchaCapture:
        """Find the captcha and take its picture; AttemptFailed says what went wrong."""
        stopwatch = Stopwatch(self._clock)
        timings_ms, self._open_ms = {"open": self._open_ms}, 0.0
        try:
            found, picture, how = await self.form.take()
        except PlaywrightError as error:
            raise await self._explain(error) from None
        timings_ms["locate"] = min(self._locate_ms, stopwatch.total_ms())
        timings_ms["capture"] = round(stopwatch.lap_ms() - timings_ms["locate"], 2)
        choice = f"{found.judgement.explain(found.candidate)}; {how}"
        return CaptchaCapture(picture, choice, timings_ms, self.form.is_refreshable)

    async def submit(self, text: str, check_held: Callable[[], None]) -> bool | None:
        """Type the answer and send the form; None where neither success nor failure shows."""
        try:
            return await self.form.submit(text, check_held)
        except PlaywrightError as error:
            raise await self._explain(error) from None

    async def refresh(self) -> None:
        """Have the page show another picture."""
        try:
            await self.form.refresh()
        except PlaywrightError as error:
            raise await self._explain(error) from None

    async def read_session(self) -> SessionState:
        """Return what the page would find in a browser that comes again."""
        try:
            return await read_session(self.page, self._order)
        except PlaywrightError as error:
            raise await self._explain(error) from None

    async def screenshot(self) -> bytes:
        """Return the page as it is seen now, as PNG."""
        try:
            return await self.page.screenshot(type="png", animations="disabled", timeout=0)
        except PlaywrightError as error:
            raise await self._explain(error) from None

    @property
    def page(self) -> Page:
        """The open page."""
        if self._page is None:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the page was used before it was opened")
        return self._page

    @property
    def form(self) -> FormVisit:
        """The open page's form, whether it is to be filled or not."""
        if self._form is None:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the page was used before it was opened")
        return self._form

    async def rasterise(self, svg: bytes, width: int, height: int) -> bytes:
        """Return a vector picture as PNG, drawn as an image: no script of it runs, and nothing it names is loaded."""
        try:
            page = await self._open_page()
            await page.set_viewport_size({"width": width, "height": height})
            source = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
            await page.set_content(f'<body style="margin:0"><img src="{source}" width="{width}" height="{height}">')
            if not await page.evaluate(_IS_DRAWN):
                raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, "the SVG is damaged and cannot be drawn")
            return await page.screenshot(type="png", animations="disabled")
        except PlaywrightError as error:
            raise await self._explain(error) from None

    async def end(self, limit_seconds: float, *, is_well: bool, is_late: bool = False) -> bool:
        """Clean the context for its owner's next task if all went well, else end it with everything in it.

        False when the browser does not manage that in time; after a page that came too late it is asked for more.
        """
        try:
            async with asyncio.timeout(limit_seconds):
                tab = await asyncio.shield(self._opening)
            if not isinstance(tab, Tab) or (is_well and await self._tabs.put_back(tab, self._owner)):
                return True
            async with asyncio.timeout(limit_seconds):
                if is_late:
                    await tab.ask_network()
                await self._tabs.close_tab(tab)
        except TimeoutError:
            return False
        finally:
            self._tabs.end()
        return True

    async def _take_tab(self) -> Tab | PlaywrightError:
        try:
            return await self._tabs.take(self.process, self._owner)
        except PlaywrightError as error:
            return error

    async def _open_page(self) -> Page:
        tab = await asyncio.shield(self._opening)
        if not isinstance(tab, Tab):
            raise tab
        self._tab = tab
        tab.begin_visit(self)
        return tab.page

    def note_request(self, request: Request) -> None:
        """Remember the latest navigation, to say what has become of it."""
        self._outcome.note_request(request)

    def note_response(self, response: Response) -> None:
        """Remember an answer that may be the picture."""
        self._recorder.note(response)

    def note_redirect(self, location: str) -> None:
        """Remember where an answer leads, to say what has become of the navigation."""
        self._outcome.note_redirect(location)

    def note_popup(self, popup: Page) -> None:
        """Close what nobody asked for."""
        self._keeper.spawn(_close_quietly(popup), "close-popup")

    def note_flood(self) -> None:
        """End the page before it costs other pages of its browser their attempts."""
        self._is_flooded = True
        if self._tab is not None:
            self._keeper.spawn(self._tab.end_renderer(), "end-flood")

    async def _go(self, page: Page, order: VisitOrder) -> Response | None:
        """Open the page of `order`, with its session where it has one."""
        if order.session is None:
            return await self._navigate(page, order.url)
        session = SessionInput(page, order, self._keeper)
        await session.put_in()
        response = await self._navigate(page, order.url)
        await session.note_opened()
        return response

    def _offer_work(self, page: Page) -> PageWork:
        async def reload() -> None:
            await self._navigate(page, self._order.url)

        return PageWork(self._take, reload, self._check_page, self._proxy.check_endpoint)

    async def _navigate(self, page: Page, url: str) -> Response | None:
        response = await page.goto(url, wait_until="commit", timeout=0)
        # A page that goes elsewhere in the middle of its own loading may never be said to have loaded.
        with contextlib.suppress(PlaywrightTimeoutError):
            await page.wait_for_load_state("domcontentloaded", timeout=DOCUMENT_MS)
        if response is not None:
            await self._outcome.check_answer(response)
            refuse_overload(response.status, response.headers, self._clock.now_ms())
        return response

    async def _take(self, deadline_seconds: float) -> Taken:
        page, status, selector = self.page, self._status, self._order.selector
        stopwatch, self._locate_ms = Stopwatch(self._clock), 0.0
        is_error_page = status is not None and status >= HTTP_ERROR_STATUS
        for _ in range(READ_TRIES):
            finder = CaptchaFinder(page, selector, is_error_page=is_error_page, clock=self._clock)
            try:
                found = await finder.find(deadline_seconds, self._check_page)
            except AttemptFailed as error:
                if is_error_page and error.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND:
                    message = f"{page.url} answered {status} and shows no captcha"
                    raise AttemptFailed(TaskErrorCode.HTTP_ERROR, message) from None
                raise
            self._locate_ms = stopwatch.total_ms()
            read = await read_picture(found.frame, found.candidate, self._recorder, read_finder_script())
            if read is not None:
                return found, *read
        raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the captcha's element vanished while it was read")

    def _check_page(self) -> None:
        """Raise if the page crashed, was ended, or has left for somewhere it may not be."""
        if (self._tab is not None and self._tab.has_crashed) or self.page.is_closed():
            # Not before it has: to close a page that floods takes long, one that has crashed no time.
            raise self._explain_crash("the page crashed while it was looked at")
        self._outcome.check_place(self.page.url)

    async def _explain(self, error: PlaywrightError) -> AttemptFailed:
        is_alive = self.process.is_alive
        if is_abort(error) and is_alive:
            is_alive = not await self._has_crashed()
            await self._outcome.await_reason()
        failure = self._outcome.explain_error(error, is_alive=is_alive)
        is_crash = failure.task_error_code is TaskErrorCode.BROWSER_CRASHED
        return self._explain_crash(failure.message) if is_crash else failure

    async def _has_crashed(self) -> bool:
        """Ask the page: of one that crashes, the driver may hear first that its navigation ended."""
        if self._tab is None:
            return False
        try:
            async with asyncio.timeout(SIGN_OF_LIFE_SECONDS):
                await self._tab.page.evaluate("0")
        except TimeoutError:
            return True
        except PlaywrightError as error:
            return self._tab.has_crashed or is_crash_sign(error)
        return self._tab.has_crashed

    def _explain_crash(self, message: str) -> AttemptFailed:
        """Tell a page that was ended here from one that was lost."""
        if self._is_flooded and self.process.is_alive:
            message = f"the page makes more than {FRAMES_FLOOD} frames"
            return AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, message)
        return AttemptFailed(TaskErrorCode.BROWSER_CRASHED, message)


async def _close_quietly(page: Page) -> None:
    try:
        await page.close()
    except PlaywrightError:
        return
