"""Follows what a page and its window request once an answer is sent: whether they are busy, and what they get."""

from collections.abc import Collection
from http import HTTPStatus

from playwright.async_api import Frame, Page, Request, Response

from captchad.browser.forms.verdict import Stillness
from captchad.browser.page.answer_window import find_page
from captchad.browser.page.navigation_outcome import is_proxy_answer
from captchad.browser.page.opened_page import OpenedPage
from captchad.browser.page.retry_after import refuse_overload
from captchad.runtime.clock import Clock

# Requests that stay open or carry no answer say nothing about whether the page has settled.
_ENDLESS = frozenset({"websocket", "eventsource", "ping"})

# Also of a window that closed itself, was sent elsewhere, or is a download.
_ABORTED = "net::ERR_ABORTED"


class AnswerTraffic:
    """Listens from `begin` to `end`, on the context: the driver tells a window's first request before the window."""

    def __init__(self, opened: OpenedPage, form_frame: Frame, clock: Clock) -> None:
        self._page, self._window = opened.page, opened.window
        self._form_frame = form_frame
        self._clock = clock
        self._requests: set[Request] = set()
        # Of the open ones: a page need not read what it gets, and then its request never ends.
        self._replied: set[Request] = set()
        self._answer: Response | None = None
        self._window_answer: Response | None = None
        self._has_moved = False
        self._moved_seconds = 0.0

    def begin(self) -> None:
        """Start listening."""
        context = self._page.context
        context.on("request", self._on_request)
        context.on("requestfinished", self._on_request_end)
        context.on("requestfailed", self._on_request_failed)
        context.on("response", self._on_response)

    def note_sent(self) -> None:
        """Forget what came before the answer was sent; requests still open stay."""
        self._answer, self._window_answer = None, None
        self._has_moved, self._moved_seconds = False, self._clock.monotonic_seconds()

    def end(self) -> None:
        """Stop listening."""
        context = self._page.context
        context.remove_listener("request", self._on_request)
        context.remove_listener("requestfinished", self._on_request_end)
        context.remove_listener("requestfailed", self._on_request_failed)
        context.remove_listener("response", self._on_response)

    def note_move(self) -> None:
        """Take note that something has happened."""
        self._has_moved, self._moved_seconds = True, self._clock.monotonic_seconds()

    def stillness(self, *, is_loaded: bool) -> Stillness:
        """Return what page and window do now."""
        quiet_seconds = self._clock.monotonic_seconds() - self._moved_seconds
        # A window that was closed leaves its requests open.
        requests = [request for request in self._requests if self.is_watched(find_page(request))]
        is_leaving = any(self._is_navigation(request) for request in requests)
        return Stillness(is_loaded, is_leaving, bool(requests), self._has_moved, quiet_seconds)

    def is_open(self, urls: Collection[str]) -> bool:
        """Whether a request to one of these addresses has no reply yet."""
        return any(request.url in urls for request in self._requests - self._replied)

    @property
    def is_error(self) -> bool:
        """Whether the site answered with an error, in the page or in the window."""
        return self._window.has_failed or any(answer.status >= HTTPStatus.BAD_REQUEST for answer in self._answers)

    def check_overload(self) -> None:
        """Raise AttemptFailed where the site was too busy for the answer."""
        for answer in self._answers:
            refuse_overload(answer.status, answer.headers, self._clock.now_ms())

    def is_watched(self, page: Page | None) -> bool:
        """Whether a page may show the answer; None is one that the driver has not reported yet."""
        return self._window.is_awaited if page is None else page in (self._page, self._window.page)

    @property
    def _answers(self) -> list[Response]:
        answers = [] if self._answer is None else [self._answer]
        window, answer = self._window.page, self._window_answer
        if window is not None and answer is not None and find_page(answer.request) == window:
            answers.append(answer)
        return answers

    def _on_request(self, request: Request) -> None:
        if request.resource_type not in _ENDLESS and self.is_watched(find_page(request)):
            self._requests.add(request)
            self.note_move()

    def _on_request_end(self, request: Request) -> None:
        if request in self._requests:
            self._requests.discard(request)
            self._replied.discard(request)
            self.note_move()

    def _on_request_failed(self, request: Request) -> None:
        if _ABORTED not in (request.failure or ""):
            self._window.note_failed(request)
        self._on_request_end(request)

    def _on_response(self, response: Response) -> None:
        if response.request in self._requests:
            self._replied.add(response.request)
        page = find_page(response.request)
        if not self.is_watched(page) or not self._is_navigation(response.request):
            return
        if page == self._page:
            self._answer = response
        elif is_proxy_answer(response):
            self._window.note_failed(response.request)
        else:
            self._window_answer = response

    def _is_navigation(self, request: Request) -> bool:
        if not request.is_navigation_request():
            return False
        page = find_page(request)
        # What opens a window has no frame yet.
        return page is None or request.frame in (page.main_frame, self._form_frame)
