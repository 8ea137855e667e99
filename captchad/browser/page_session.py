"""One attempt at an open page: find the captcha, take its picture, answer it."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from playwright.async_api import Error as PlaywrightError

from captchad.browser.finding.frame_scans import Sought
from captchad.browser.finding.picture_taker import PictureTaker, TakenPicture
from captchad.browser.finding.redrawing import click_picture, find_clickable
from captchad.browser.forms.captcha_form import NEW_PICTURE_SECONDS, CaptchaForm, FormOrder
from captchad.browser.forms.masks import list_masks
from captchad.browser.forms.steps import Steps
from captchad.browser.page.opened_page import OpenedPage
from captchad.browser.page.session_state import SessionInput, read_session
from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, PictureChanged, TaskErrorCode
from captchad.domain.hidden_values import HiddenValues
from captchad.domain.instructions import find_instruction
from captchad.domain.page import PageOrder, SessionState
from captchad.runtime.clock import Clock, Stopwatch
from captchad.runtime.deadline import Deadline
from captchad.runtime.spawn import TaskSet


class PageSession:
    """The operations of one attempt on its page, within its deadline."""

    def __init__(self, opened: OpenedPage, order: PageOrder, deadline: Deadline, clock: Clock, work: TaskSet) -> None:
        self.page = opened.page
        self._opened = opened
        self._order = order
        self._hidden = HiddenValues(order.secret_values)
        self._deadline = deadline
        self._clock = clock
        self._work = work
        self._taker = PictureTaker(
            opened, Sought(order.selector, None if order.fill is None else order.fill.input), clock
        )
        self._form: CaptchaForm | None = None
        if order.fill is not None:
            form = FormOrder(order.fill, order.may_reach_typed)
            self._form = CaptchaForm(opened, self._taker, form, deadline, clock, work)
        if order.steps:
            opened.prepare = Steps(opened, order.steps, order.may_reach_typed, deadline, clock).run
        self._taken: TakenPicture | None = None
        self._another: TakenPicture | None = None
        self._open_ms = 0.0

    async def open(self) -> None:
        """Open the page, with the task's session if there is one; AttemptFailed says what went wrong."""
        stopwatch, order = Stopwatch(self._clock), self._order
        async with self._explained():
            if order.session is None:
                await self._opened.navigate(order.url)
            else:
                session = SessionInput(self.page, order, self._work)
                await session.put_in()
                await self._opened.navigate(order.url)
                await session.note_opened()
            await self._opened.prepare()
        self._open_ms = stopwatch.lap_ms()

    async def capture(self) -> CaptchaCapture:
        """Find the captcha and take its picture; after a refresh, return the picture that it brought."""
        stopwatch = Stopwatch(self._clock)
        # Counted once: a second picture of the same page took no opening.
        timings_ms, self._open_ms = {"open": self._open_ms}, 0.0
        async with self._explained():
            taken, self._another = self._another or await self._taker.take(self._deadline.search_seconds), None
        self._taken = taken
        if self._form is not None:
            self._form.note_taken()
        timings_ms["locate"] = min(self._taker.locate_ms, stopwatch.total_ms())
        timings_ms["capture"] = round(stopwatch.lap_ms() - timings_ms["locate"], 2)
        explained = f"{taken.found.judgement.explain(taken.found.candidate)}; {taken.how}"
        choice = self._hidden.hide(explained)
        instruction = find_instruction(taken.found.candidate.spoken)
        return CaptchaCapture(taken.picture, choice, timings_ms, instruction, taken.reading)

    async def submit(self, text: str, permit: Callable[[], Awaitable[None]]) -> bool | None:
        """Type the answer and send the form; None where neither success nor failure shows.

        PictureChanged, with nothing sent, where the page shows another picture by then: `capture` returns that one.
        """
        if self._form is None or self._taken is None:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "an answer was given before there was a form to fill")
        async with self._explained():
            try:
                return await self._form.submit(self._taken, text, permit)
            except PictureChanged:
                self._another = await self._taker.take(self._deadline.search_seconds)
                raise

    @property
    def left_scope_to(self) -> str | None:
        """The origin out of scope that the answer led to, where the page was stopped."""
        return None if self._form is None else self._form.left_scope_to

    @property
    def judgement(self) -> float | None:
        """The probability that the last answer was accepted, where no condition of the task says so."""
        return None if self._form is None else self._form.judgement

    @property
    def has_window(self) -> bool:
        """Whether the answer has opened a window, which stays open and decided on it."""
        return self._opened.window.page is not None

    async def can_refresh(self) -> bool:
        """Whether another picture can be drawn without leaving the page."""
        if self._order.fill is not None and self._order.fill.refresh is not None:
            return True
        async with self._explained():
            found = None if self._taken is None else self._taken.found
            return found is not None and await find_clickable(found.frame, found.candidate) is not None

    async def refresh(self) -> None:
        """Make the page show another picture, and wait for it."""
        taken = self._taken
        if taken is None:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the captcha was refreshed before it was found")
        async with self._explained():
            self._another = await (self._form.refresh(taken) if self._form is not None else self._click(taken))
        if self._another is None:
            raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the page shows no other picture after a refresh")

    async def _click(self, taken: TakenPicture) -> TakenPicture | None:
        if not await click_picture(taken.found.frame, taken.found.candidate):
            return None
        until_seconds = self._deadline.until(NEW_PICTURE_SECONDS)
        return await self._taker.await_another(taken, until_seconds, self._deadline.search_seconds)

    async def read_session(self) -> SessionState:
        """Return the cookies and storage that the page would find when opened again."""
        async with self._explained():
            return await read_session(self.page, self._order)

    async def screenshot(self) -> bytes | None:
        """Return the page, or the window that its answer has opened, as it looks now, as PNG.

        Passwords, and what the task has typed or has in its session, are covered; None where the page does not say in
        time where that is.
        """
        page = self._opened.window.page or self.page
        async with self._explained():
            if self._order.secret_values and not await self._opened.make_closed_roots_known():
                return None
            masks = list_masks(page, self._order)
            # No timeout of the driver's: the attempt's deadline is the only one.
            return await page.screenshot(type="png", animations="disabled", timeout=0, mask=masks)

    @contextlib.asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        """Map the driver's errors to what they mean for the attempt."""
        try:
            yield
        except PlaywrightError as error:
            raise self._hide(await self._opened.explain(error)) from None
        except AttemptFailed as failure:
            raise self._hide(failure) from None

    def _hide(self, failure: AttemptFailed) -> AttemptFailed:
        """Take the task's secrets out of a message: it may quote the page, which repeats them."""
        failure.reword(self._hidden.hide)
        return failure
