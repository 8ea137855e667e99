"""The form a captcha belongs to: answers it as a user would, and gets another picture after a wrong answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from playwright.async_api import Error as PlaywrightError

from captchad.browser.finding.picture_taker import PictureTaker, TakenPicture
from captchad.browser.finding.redrawing import CLICK_MS, click_picture
from captchad.browser.forms.elements import ElementFinder, Mode, Wanted, order_frames
from captchad.browser.forms.form_filling import INPUT_KEY, SUBMIT_KEY, FilledField, FormFilling
from captchad.browser.forms.send_guard import SendGuard
from captchad.browser.forms.submission import Submission
from captchad.browser.forms.verdict import Verdict
from captchad.browser.forms.verdict_watch import VerdictWatch
from captchad.browser.page.opened_page import OpenedPage
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Fill, FormField, list_typed_values
from captchad.domain.target import Origin
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.runtime.spawn import TaskSet

# A script that replaces the picture does so at once; a new document has to load its picture first.
SAME_DOCUMENT_SECONDS = 1.0
NEW_PICTURE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FormOrder:
    """What is filled, and which origins what is typed may reach."""

    fill: Fill
    may_reach_typed: Callable[[Origin], bool]


class CaptchaForm:
    """Answers the captcha of one page, and refreshes it."""

    def __init__(
        self, opened: OpenedPage, taker: PictureTaker, order: FormOrder, deadline: Deadline, clock: Clock, work: TaskSet
    ) -> None:
        self._opened = opened
        self._taker = taker
        self._fill, self._may_reach_typed = order.fill, order.may_reach_typed
        self._deadline = deadline
        self._clock = clock
        self._work = work
        self._finder = ElementFinder(clock, deadline.search_seconds)
        self._guard = SendGuard(opened, work)
        self._wait_unasked_seconds = 0.0
        self.left_scope_to: str | None = None
        # The probability that the answer was accepted, where the task has no condition that says so.
        self.judgement: float | None = None

    def note_taken(self) -> None:
        """Note that the current picture was taken, so that no other is on its way."""
        self._wait_unasked_seconds = 0.0

    async def submit(self, taken: TakenPicture, text: str, permit: Callable[[], Awaitable[None]]) -> bool | None:
        """Type and send an answer; return whether it was right, None where the page does not show it."""
        self.left_scope_to = self.judgement = None
        filling = await self._find_form(taken)
        # Before anything is typed: a form may send each key press.
        if list_typed_values((), self._fill):
            await filling.check_scope(taken.found.frame, self._opened.check_typed(self._may_reach_typed))
            await self._opened.confine(self._may_reach_typed)
        else:
            await filling.check_scope(taken.found.frame, self._opened.check_origin)
        watch = VerdictWatch(self._opened, filling.field.frame, self._fill, self._clock, self._work)
        submission = Submission(self._opened, filling, self._guard, watch, self._fill, self._deadline)
        try:
            await submission.send(self._taker, taken, text, permit)
            verdict = await submission.await_verdict(partial(self._look_again, taken))
        finally:
            submission.end()
        self.left_scope_to, self.judgement = submission.left_scope_to, submission.judgement
        self._wait_unasked_seconds = NEW_PICTURE_SECONDS if submission.has_new_document else SAME_DOCUMENT_SECONDS
        return self._read_verdict(verdict)

    async def _look_again(self, taken: TakenPicture) -> bool | None:
        """Whether the page shows the same captcha as before; None where it shows none."""
        another = await self._taker.take_now()
        return None if another is None else another.is_same(taken)

    def _read_verdict(self, verdict: Verdict) -> bool | None:
        if verdict is Verdict.REJECTED:
            message = f"the page shows fill.rejected ({self._fill.rejected}): it refuses what the form was filled with"
            raise AttemptFailed(TaskErrorCode.FORM_REJECTED, message)
        return verdict.verified

    async def _find_form(self, taken: TakenPicture) -> FormFilling:
        page, fill = self._opened.page, self._fill
        wanted = Wanted("field", fill.input, "fill.input", INPUT_KEY)
        field = await self._finder.find(lambda: order_frames(page, taken.found.frame), wanted)
        beside = partial(order_frames, page, field.frame)
        button = None
        if fill.submit is not None:
            button = await self._finder.find(beside, Wanted("button", fill.submit, "fill.submit", SUBMIT_KEY))
        further = [
            FilledField(await self._finder.find(beside, _describe_field(number, order)), order)
            for number, order in enumerate(fill.fields)
        ]
        return FormFilling(field, button, further)

    async def refresh(self, taken: TakenPicture) -> TakenPicture | None:
        """Get another picture, in the same session; None where none comes.

        After an answer the page may show one by itself; otherwise fill.refresh is clicked, or the picture if it is
        clickable; as a last resort the page is opened again.
        """
        self._opened.window.close()
        if self._wait_unasked_seconds:
            another = await self._await_another(taken, self._wait_unasked_seconds)
            if another is not None:
                return another
        for draw in (self._click, self._reopen):
            if await draw(taken):
                another = await self._await_another(taken, NEW_PICTURE_SECONDS)
                if another is not None:
                    return another
        return None

    async def _click(self, taken: TakenPicture) -> bool:
        refresh = self._fill.refresh
        if refresh is None:
            return await click_picture(taken.found.frame, taken.found.candidate)
        try:
            wanted = Wanted("button", refresh, "fill.refresh", "refresh")
            place = await self._finder.find(lambda: order_frames(self._opened.page, taken.found.frame), wanted)
            await place.element.click(no_wait_after=True, timeout=CLICK_MS)
        except (AttemptFailed, PlaywrightError):
            return False  # a page that navigated or crashed is noticed when it is opened again
        return True

    async def _reopen(self, _: TakenPicture) -> bool:
        await self._opened.reopen()
        return True

    async def _await_another(self, taken: TakenPicture, limit_seconds: float) -> TakenPicture | None:
        until_seconds = self._deadline.until(limit_seconds)
        return await self._taker.await_another(taken, until_seconds, self._deadline.search_seconds)


def _describe_field(number: int, order: FormField) -> Wanted:
    mode: Mode = "field" if order.value is not None else "choose" if order.choose is not None else "tick"
    return Wanted(mode, order.selector, f"fill.fields[{number}]", f"field-{number}")
