"""The window that an answer opens: followed within scope, closed everywhere else."""

from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request

from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.page.navigation_outcome import NavigationOutcome
from captchad.browser.page.renderer import end_renderer
from captchad.browser.scripts.bounds import cut_url
from captchad.domain.errors import AttemptFailed, LeftScope
from captchad.egress.proxy import FilteringProxy
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

_OWN_SCHEMES = frozenset({"", "about", "blob", "data"})
"""Windows of these were filled by the page itself; nothing was asked of a site."""


class AnswerWindow:
    """Follows the first window within scope that comes once an answer is sent; every other one is closed at once.

    `left` is where a window went out of scope, `has_failed` whether one crashed or could not be opened.
    """

    def __init__(self, proxy: FilteringProxy, clock: Clock, work: TaskSet) -> None:
        self._proxy = proxy
        self._clock = clock
        self._work = work
        self._outcome = NavigationOutcome(proxy, clock.monotonic_seconds())
        self._is_expected = False
        self._followed: Page | None = None
        # First requests of windows that the driver has not reported yet.
        self._unplaced: list[Request] = []
        self._early: frozenset[Request] = frozenset()
        self.left: LeftScope | None = None
        self.has_failed = False

    @property
    def page(self) -> Page | None:
        """The window while it is open."""
        return None if self._followed is None or self._followed.is_closed() else self._followed

    @property
    def is_awaited(self) -> bool:
        """Whether the next window would be followed."""
        return self._is_expected and self._followed is None

    @property
    def is_lost(self) -> bool:
        """Whether a window came that can't be seen: stopped, failed, or closed by itself."""
        has_closed = self._followed is not None and self._followed.is_closed()
        return self.left is not None or self.has_failed or has_closed

    def expect(self) -> None:
        """Count the next window as the answer's; one that was already being opened is not."""
        self.close()
        self._outcome = NavigationOutcome(self._proxy, self._clock.monotonic_seconds())
        self._early = frozenset(self._unplaced)
        self._is_expected, self.left, self.has_failed = True, None, False

    def stop_expecting(self) -> None:
        """Follow no further window; the one that came stays open."""
        self._is_expected = False

    def close(self) -> None:
        """Close the window, if there is one."""
        followed, self._followed = self._followed, None
        if followed is not None:
            self._end(followed)

    def end_renderer(self) -> None:
        """End the window's process at once; it need not be that of the page."""
        followed, self._followed = self._followed, None
        if followed is not None:
            self._work.spawn(_end_renderer(followed), "end-window")

    def note_request(self, request: Request) -> None:
        """Remember a request that is not the main page's."""
        page = find_page(request)
        if page is None:
            self._unplaced.append(request)
        elif page == self._followed:
            self._outcome.note_request(request)

    def note_failed(self, request: Request) -> None:
        """Take note that a request was refused or lost: a window that begins with it may show no address at all."""
        page = find_page(request)
        if not request.is_navigation_request() or request in self._early:
            return
        if page is None and self.is_awaited:
            # Closed once it is reported.
            self._early |= {request}
            self._judge_address(request.url)
        elif page is not None and page == self._followed and request.frame == page.main_frame:
            self._judge_address(request.url)

    def _judge_address(self, failed_url: str) -> None:
        """Distinguish a window that was refused from one that failed, and close it."""
        self.has_failed = True
        try:
            self._outcome.check_place(cut_url(failed_url))
        except LeftScope as left:
            self.left, self.has_failed = self.left or left, False
        except AttemptFailed:
            pass
        self.close()

    def note_popup(self, popup: Page) -> None:
        """Follow or close a new window."""
        requests = [request for request in self._unplaced if find_page(request) == popup]
        self._unplaced = [request for request in self._unplaced if request not in requests]
        if not self.is_awaited or not self._early.isdisjoint(requests):
            self._end(popup)
            return
        self._followed = popup
        popup.on("crash", self._on_crash)
        for request in requests:
            self._outcome.note_request(request)
        self.check()

    def check(self) -> None:
        """Close the window where it is out of scope or could not be opened; another one may still come."""
        page = self.page
        if page is None or urlsplit(cut_url(page.url)).scheme in _OWN_SCHEMES:
            return
        try:
            self._outcome.check_place(cut_url(page.url))
        except LeftScope as left:
            self.left = self.left or left
            self.close()
        except AttemptFailed:
            self.has_failed = True
            self.close()

    def _on_crash(self, page: Page) -> None:
        if page == self._followed:
            self.has_failed = True
            self.close()

    def _end(self, page: Page) -> None:
        self._work.spawn(_close_quietly(page), "close-popup")


def find_page(request: Request) -> Page | None:
    """Return the page that a request is of; None while the driver has not reported that page."""
    try:
        return request.frame.page
    except PlaywrightError:
        return None


async def _end_renderer(page: Page) -> None:
    with tolerate_loss():
        await end_renderer(await page.context.new_cdp_session(page))


async def _close_quietly(page: Page) -> None:
    with tolerate_loss():
        await page.close()
