"""Watches a page after its form was sent, until it is clear whether the answer was right."""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass

from playwright.async_api import Dialog, Frame, Page

from captchad.browser.browsers.driver_loss import tolerate_loss
from captchad.browser.forms.answer_traffic import AnswerTraffic
from captchad.browser.forms.verdict import (
    BUSY,
    Condition,
    ConditionKind,
    Judge,
    Sighting,
    Verdict,
    normalise_text,
    read_condition,
)
from captchad.browser.page.frame_calls import FRAME_SECONDS, FRAMES_LIMIT, call_frames
from captchad.browser.page.opened_page import OpenedPage
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
CONDITION_NAMES = ("success", "failure", "rejected")


@dataclass(frozen=True, slots=True)
class FrameSight:
    """What conditions.js saw in a frame: its document, by the time it began, and which conditions hold there."""

    document: float
    is_complete: bool
    holding: Mapping[str, bool]


class VerdictWatch:
    """Watches from before the answer is typed until the verdict; dialogs are read and answered meanwhile."""

    def __init__(self, opened: OpenedPage, form_frame: Frame, fill: Fill, clock: Clock, work: TaskSet) -> None:
        self._opened = opened
        self._page, self._window = opened.page, opened.window
        self._looked_into: Hashable = None
        self._form_frame = form_frame
        self._traffic = AnswerTraffic(opened, form_frame, clock)
        self._fill = fill
        self._conditions = {name: read_condition(getattr(fill, name)) for name in CONDITION_NAMES}
        self._clock = clock
        self._work = work
        self._dialogs: list[str] = []
        self._documents: dict[Frame, Hashable] = {}
        self._first_sighting = Sighting()
        self._judge = Judge(fill, self._first_sighting, self._first_sighting)
        self._seen_window: Page | None = None
        self._last_sighting = self._first_sighting
        self.has_new_document = False
        self._is_loaded = False

    async def begin(self) -> None:
        """Start listening, and note what shows before the answer is typed; `end` must follow."""
        # Not the page's events: the answer may open a window.
        self._page.context.on("dialog", self._on_dialog)
        self._traffic.begin()
        self._first_sighting = await self._scan()
        self._judge = Judge(self._fill, self._first_sighting, self._first_sighting)

    async def look(self) -> Sighting:
        """Return what shows now."""
        return await self._scan()

    def note_typed(self, sighting: Sighting) -> None:
        """Take note of what shows before the answer is sent: a form may show an error while one types."""
        self._judge = Judge(self._fill, self._first_sighting, sighting)

    def note_sent(self) -> None:
        """Count what happens from now on as the page's answer."""
        self._traffic.note_sent()
        self._window.expect()

    def note_clicked(self) -> None:
        """Wait for the page anew, which has already got the answer and is clicked as well."""
        self._traffic.note_sent()

    def end(self) -> None:
        """Stop listening; the driver handles dialogs again."""
        self._window.stop_expecting()
        self._traffic.end()
        self._page.context.remove_listener("dialog", self._on_dialog)

    async def wait(self, deadline_seconds: float, check_page: Callable[[], None]) -> Verdict:
        """Return the verdict, at the latest at the deadline; `check_page` raises where the page is out of scope.

        AttemptFailed (attempt_timeout) where the page is still busy then.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            sighting = await self._scan(min(FRAME_SECONDS, deadline_seconds - self._clock.monotonic_seconds()))
            check_page()
            self._traffic.check_overload()
            verdict = self._judge.judge(
                sighting,
                self._traffic.stillness(is_loaded=self._is_loaded),
                is_error_page=self._traffic.is_error,
                has_lost_window=self._window.is_lost,
            )
            if verdict is not None:
                self._last_sighting = sighting
                return verdict
            if self._clock.monotonic_seconds() >= deadline_seconds:
                return self._give_up()
            await self._look_closer()
            await self._clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    def awaits_answer(self, urls: Collection[str]) -> bool:
        """Whether a request to one of these addresses is still open."""
        return self._traffic.is_open(urls)

    async def shows_verdict(self, limit_seconds: float) -> bool:
        """Whether a condition of the task shows within a time."""
        until_seconds = self._clock.monotonic_seconds() + limit_seconds
        while True:
            verdict = self._judge.judge(await self._scan(), BUSY, is_error_page=False)
            if verdict is not None or self._clock.monotonic_seconds() >= until_seconds:
                return verdict is not None
            await self._clock.sleep(LONGEST_PAUSE_SECONDS)

    async def _look_closer(self) -> None:
        """Look into the closed shadow roots of a new document, once it is loaded and shows no verdict."""
        document = self._documents.get(self._page.main_frame)
        is_due = self.has_new_document and self._is_loaded and document != self._looked_into
        if is_due and await self._opened.make_closed_roots_known():
            self._looked_into = document

    def shows_on_page(self, verdict: Verdict) -> bool:
        """Whether the verdict of `wait` shows on the page itself, so that no window decided it."""
        name = {Verdict.RIGHT: "success", Verdict.WRONG: "failure", Verdict.REJECTED: "rejected"}.get(verdict)
        if name is None:
            return False
        new = getattr(self._last_sighting, name) - getattr(self._first_sighting, name)
        return any(place.page == self._page for place, _ in new if isinstance(place, Frame))

    def judge_leaving(self, url: str) -> Verdict:
        """Return the verdict on an answer after which the page went to an address out of scope: nothing else shows."""
        success, failure, rejected = (self._conditions[name] for name in CONDITION_NAMES)
        if rejected is not None and rejected.matches_url(url):
            return Verdict.REJECTED
        if failure is not None and failure.matches_url(url):
            return Verdict.WRONG
        if success is not None:
            return Verdict.RIGHT if success.matches_url(url) else Verdict.UNKNOWN
        # As on a page that has settled without a sign of failure.
        return Verdict.RIGHT if failure is not None else Verdict.UNKNOWN

    def _give_up(self) -> Verdict:
        is_asked = any(condition is not None for condition in self._conditions.values())
        if is_asked and not self._traffic.stillness(is_loaded=self._is_loaded).is_settled:
            message = "the time was up before the page had answered the form"
            raise AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message)
        return Verdict.UNKNOWN

    async def _scan(self, limit_seconds: float = FRAME_SECONDS) -> Sighting:
        if self._window.page != self._seen_window:
            self._seen_window = self._window.page
            self._traffic.note_move()
        # First in the order, so that a page of many frames can't push them out of the limit.
        likeliest = (*self._main_frames, self._form_frame)
        window_frames = [] if self._seen_window is None else self._seen_window.frames
        frames = list(dict.fromkeys((*likeliest, *window_frames, *self._page.frames)))[:FRAMES_LIMIT]
        scanned = await call_frames(frames, self._scan_frame, limit_seconds)
        # A window that went out of scope meanwhile shows how it was refused, and no verdict.
        self._window.check()
        seen = ((frame, view) for frame, view in zip(frames, scanned, strict=True) if view is not None)
        views = {frame: view for frame, view in seen if self._traffic.is_watched(frame.page)}
        for frame, view in views.items():
            self._note_document(frame, view.document)
        shown = [views.get(frame) for frame in self._main_frames]
        self._is_loaded = all(view is not None and view.is_complete for view in shown)
        return Sighting(**{name: self._find_places(name, views) for name in CONDITION_NAMES})

    def _find_places(self, name: str, views: Mapping[Frame, FrameSight]) -> frozenset[Hashable]:
        condition = self._conditions[name]
        documents = (
            (frame, view.document)
            for frame, view in views.items()
            if view.holding[name] or self._is_address(frame, condition)
        )
        return frozenset((*documents, *self._find_dialogs(condition), *self._find_left(condition)))

    async def _scan_frame(self, frame: Frame) -> FrameSight | None:
        wanted = {name: _describe(condition) for name, condition in self._conditions.items()}
        try:
            return read_sight(Facts(await ask(frame, CONDITIONS, **wanted)))
        except TAMPERED:
            return None

    def _is_address(self, frame: Frame, condition: Condition | None) -> bool:
        return condition is not None and frame in self._main_frames and condition.matches_url(cut_url(frame.url))

    def _find_left(self, condition: Condition | None) -> set[Hashable]:
        left = self._window.left
        if left is None or condition is None or not condition.matches_url(left.url):
            return set()
        return {("left", left.url)}

    def _find_dialogs(self, condition: Condition | None) -> set[Hashable]:
        if condition is None:
            return set()
        return {("dialog", number) for number, text in enumerate(self._dialogs) if condition.matches_text(text)}

    def _note_document(self, frame: Frame, document: Hashable) -> None:
        if self._documents.setdefault(frame, document) != document:
            self._documents[frame] = document
            self.has_new_document |= frame.page == self._page
            self._traffic.note_move()

    @property
    def _main_frames(self) -> tuple[Frame, ...]:
        """The main frames of the page and of its window."""
        window = self._window.page
        return (self._page.main_frame,) if window is None else (self._page.main_frame, window.main_frame)

    def _on_dialog(self, dialog: Dialog) -> None:
        if self._traffic.is_watched(dialog.page):
            # A page may open dialogs in an endless loop.
            if len(self._dialogs) < DIALOGS_LIMIT:
                self._dialogs.append(dialog.message[:DIALOG_LENGTH])
            self._traffic.note_move()
        self._work.spawn(_close_dialog(dialog, self._fill.dialogs), "close-dialog")


def read_sight(facts: Facts) -> FrameSight:
    """Read the answer of conditions.js; TAMPERED where it is none."""
    return FrameSight(
        document=facts.measure("document"),
        is_complete=facts.text("state", STATE_LENGTH) == "complete",
        holding={name: facts.flag(name) for name in CONDITION_NAMES},
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
