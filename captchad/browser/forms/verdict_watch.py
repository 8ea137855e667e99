"""Watches a page after its form was sent, until it is clear whether the answer was right."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import attrgetter

from playwright.async_api import Dialog, Frame, Page, Request, Response

from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.forms.verdict import (
    Condition,
    ConditionKind,
    Judge,
    Sighting,
    Stillness,
    Verdict,
    normalise_text,
    read_condition,
)
from captchad.browser.page.frame_calls import FRAME_SECONDS, FRAMES_LIMIT, call_frames
from captchad.browser.page.retry_after import refuse_overload
from captchad.browser.scripts.bounds import DIALOG_LENGTH, STATE_LENGTH, TAMPERED, Facts, cut_url
from captchad.browser.scripts.catalogue import CONDITIONS
from captchad.browser.scripts.isolated_world import ask
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import DialogAnswer, Fill
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.15
PAUSE_GROWTH = 1.4
DIALOGS_LIMIT = 100
HTTP_ERROR_STATUS = 400
# Requests that stay open or carry no answer say nothing about whether the page has settled.
_ENDLESS = frozenset({"websocket", "eventsource", "ping"})


@dataclass(frozen=True, slots=True)
class FrameSight:
    """What conditions.js saw in a frame: its document, by the time it began, and what of success and failure shows."""

    document: float
    is_complete: bool
    success: bool
    failure: bool


class VerdictWatch:
    """Watches from before the answer is typed until the verdict; dialogs are read and answered meanwhile."""

    def __init__(self, page: Page, form_frame: Frame, fill: Fill, clock: Clock, work: TaskSet) -> None:
        self._page = page
        self._form_frame = form_frame
        self._fill = fill
        self._conditions = (read_condition(fill.success), read_condition(fill.failure))
        self._clock = clock
        self._work = work
        self._requests: set[Request] = set()
        self._dialogs: list[str] = []
        self._documents: dict[Frame, Hashable] = {}
        self._first_sighting = Sighting()
        self._judge = Judge(fill, self._first_sighting, self._first_sighting)
        self._answer: Response | None = None
        self.has_new_document = False
        self._has_moved = False
        self._is_loaded = False
        self._moved_seconds = 0.0

    async def begin(self) -> None:
        """Start listening, and note what shows before the answer is typed; `end` must follow."""
        page = self._page
        page.on("dialog", self._on_dialog)
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_request_end)
        page.on("requestfailed", self._on_request_end)
        page.on("response", self._on_response)
        self._first_sighting = await self._scan()

    async def note_typed(self) -> None:
        """Note what shows before the answer is sent: a form may show an error while one types."""
        self._judge = Judge(self._fill, self._first_sighting, await self._scan())

    def note_sent(self) -> None:
        """Count what happens from now on as the page's answer."""
        self._answer, self._has_moved, self._moved_seconds = None, False, self._clock.monotonic_seconds()

    def end(self) -> None:
        """Stop listening; the driver handles dialogs again."""
        page = self._page
        page.remove_listener("dialog", self._on_dialog)
        page.remove_listener("request", self._on_request)
        page.remove_listener("requestfinished", self._on_request_end)
        page.remove_listener("requestfailed", self._on_request_end)
        page.remove_listener("response", self._on_response)

    async def wait(self, deadline_seconds: float, check_page: Callable[[], None]) -> Verdict:
        """Return the verdict, at the latest at the deadline; `check_page` raises where the page is out of scope.

        AttemptFailed (attempt_timeout) where the page is still busy then.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            sighting = await self._scan(min(FRAME_SECONDS, deadline_seconds - self._clock.monotonic_seconds()))
            check_page()
            self._check_overload()
            verdict = self._judge.judge(sighting, self._stillness(), is_error_page=self._is_error_page)
            if verdict is not None:
                return verdict
            if self._clock.monotonic_seconds() >= deadline_seconds:
                return self._give_up()
            await self._clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    def judge_leaving(self, url: str) -> Verdict:
        """Return the verdict on an answer after which the page went to an address out of scope: nothing else shows."""
        success, failure = self._conditions
        if failure is not None and failure.matches_url(url):
            return Verdict.WRONG
        if success is not None:
            return Verdict.RIGHT if success.matches_url(url) else Verdict.UNKNOWN
        # As on a page that has settled without a sign of failure.
        return Verdict.RIGHT if failure is not None else Verdict.UNKNOWN

    def _give_up(self) -> Verdict:
        is_asked = any(condition is not None for condition in self._conditions)
        if is_asked and not self._stillness().is_settled:
            message = "the time was up before the page had answered the form"
            raise AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message)
        return Verdict.UNKNOWN

    def _stillness(self) -> Stillness:
        quiet_seconds = self._clock.monotonic_seconds() - self._moved_seconds
        is_leaving = any(self._is_navigation(request) for request in self._requests)
        return Stillness(self._is_loaded, is_leaving, bool(self._requests), self._has_moved, quiet_seconds)

    @property
    def _is_error_page(self) -> bool:
        return self._answer is not None and self._answer.status >= HTTP_ERROR_STATUS

    def _check_overload(self) -> None:
        if self._answer is not None:
            refuse_overload(self._answer.status, self._answer.headers, self._clock.now_ms())

    async def _scan(self, limit_seconds: float = FRAME_SECONDS) -> Sighting:
        # First in the order, so that a page of many frames can't push them out of the limit.
        likeliest = (self._page.main_frame, self._form_frame)
        frames = list(dict.fromkeys((*likeliest, *self._page.frames)))[:FRAMES_LIMIT]
        scanned = await call_frames(frames, self._scan_frame, limit_seconds)
        views = {frame: view for frame, view in zip(frames, scanned, strict=True) if view is not None}
        for frame, view in views.items():
            self._note_document(frame, view.document)
        main_view = views.get(self._page.main_frame)
        self._is_loaded = main_view is not None and main_view.is_complete
        success, failure = (
            {(frame, view.document) for frame, view in views.items() if shows(view) or self._is_address(frame, one)}
            | self._find_dialogs(one)
            for shows, one in zip((attrgetter("success"), attrgetter("failure")), self._conditions, strict=True)
        )
        return Sighting(frozenset(success), frozenset(failure))

    async def _scan_frame(self, frame: Frame) -> FrameSight | None:
        success, failure = (_describe(condition) for condition in self._conditions)
        try:
            return read_sight(Facts(await ask(frame, CONDITIONS, success=success, failure=failure)))
        except TAMPERED:
            return None

    def _is_address(self, frame: Frame, condition: Condition | None) -> bool:
        return (
            condition is not None and frame == self._page.main_frame and condition.matches_url(cut_url(self._page.url))
        )

    def _find_dialogs(self, condition: Condition | None) -> set[Hashable]:
        if condition is None:
            return set()
        return {("dialog", number) for number, text in enumerate(self._dialogs) if condition.matches_text(text)}

    def _note_document(self, frame: Frame, document: Hashable) -> None:
        if self._documents.setdefault(frame, document) != document:
            self._documents[frame] = document
            self.has_new_document = True
            self._note_move()

    def _note_move(self) -> None:
        self._has_moved, self._moved_seconds = True, self._clock.monotonic_seconds()

    def _on_request(self, request: Request) -> None:
        if request.resource_type not in _ENDLESS:
            self._requests.add(request)
            self._note_move()

    def _on_request_end(self, request: Request) -> None:
        if request in self._requests:
            self._requests.discard(request)
            self._note_move()

    def _on_response(self, response: Response) -> None:
        if self._is_navigation(response.request):
            self._answer = response

    def _is_navigation(self, request: Request) -> bool:
        return request.is_navigation_request() and request.frame in (self._page.main_frame, self._form_frame)

    def _on_dialog(self, dialog: Dialog) -> None:
        # A page may open dialogs in an endless loop.
        if len(self._dialogs) < DIALOGS_LIMIT:
            self._dialogs.append(dialog.message[:DIALOG_LENGTH])
        self._note_move()
        self._work.spawn(_close_dialog(dialog, self._fill.dialogs), "close-dialog")


def read_sight(facts: Facts) -> FrameSight:
    """Read the answer of conditions.js; TAMPERED where it is none."""
    return FrameSight(
        document=facts.measure("document"),
        is_complete=facts.text("state", STATE_LENGTH) == "complete",
        success=facts.flag("success"),
        failure=facts.flag("failure"),
    )


async def _close_dialog(dialog: Dialog, answer: DialogAnswer) -> None:
    with tolerate_loss():
        # Dismissing a question before leaving would keep the page from navigating.
        if answer == "accept" or dialog.type == "beforeunload":
            await dialog.accept()
        else:
            await dialog.dismiss()


def _describe(condition: Condition | None) -> dict[str, str] | None:
    if condition is None:
        return None
    value = normalise_text(condition.value) if condition.kind is ConditionKind.TEXT else condition.value
    return {"kind": condition.kind.name, "value": value}
