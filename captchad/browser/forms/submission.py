"""One answer to one form: typed, counted, sent and judged."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from captchad.browser.finding.picture_taker import PictureTaker, TakenPicture
from captchad.browser.forms.answer_signs import SignWatch
from captchad.browser.forms.form_filling import FormFilling
from captchad.browser.forms.send_guard import SendGuard
from captchad.browser.forms.verdict import Verdict
from captchad.browser.forms.verdict_watch import VerdictWatch
from captchad.browser.page.opened_page import OpenedPage
from captchad.domain.errors import AttemptFailed, LeftScope, PictureChanged, TargetNotAllowed, TaskErrorCode
from captchad.domain.page import Fill
from captchad.domain.target import find_origin
from captchad.runtime.deadline import Deadline

UNASKED_SECONDS = 1.0
"""How long a page that sent the answer by itself and got a reply has to show it, before its button is clicked too."""


class Submission:
    """Sends an answer and judges it; `end` must follow.

    `left_scope_to` is the origin out of scope that the answer led to, `judgement` the probability that it was accepted,
    where the task has no condition that says so.
    """

    def __init__(
        self,
        opened: OpenedPage,
        filling: FormFilling,
        guard: SendGuard,
        watch: VerdictWatch,
        fill: Fill,
        deadline: Deadline,
    ) -> None:
        self._opened = opened
        self._filling = filling
        self._guard = guard
        self._watch = watch
        self._deadline = deadline
        self._signs = None if fill.has_conditions else SignWatch(opened, filling.field.frame, fill.input)
        self.left_scope_to: str | None = None
        self.judgement: float | None = None

    @property
    def has_new_document(self) -> bool:
        """Whether the answer brought another document."""
        return self._watch.has_new_document

    async def send(
        self, taker: PictureTaker, taken: TakenPicture, text: str, permit: Callable[[], Awaitable[None]]
    ) -> None:
        """Type an answer and send it, once it is permitted; PictureChanged, without a click, at another picture."""
        await self._watch.begin()
        if self._signs is not None:
            await self._signs.begin()
        await self._filling.fill_further()
        guard = self._guard
        await guard.begin(text, partial(self._count, permit))
        try:
            await self._filling.type(text, guard.note_typing)
            if not guard.has_sent:
                await self._make_ready(taker, taken)
            await guard.count()
        except PictureChanged:
            raise
        except BaseException:
            guard.refuse(AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the attempt has ended"))
            raise
        finally:
            await guard.end()
        if await self._wants_click() and await self._may_click(permit):
            await self._filling.send(self._deadline.search_left_seconds)

    async def _count(self, permit: Callable[[], Awaitable[None]]) -> None:
        await permit()
        self._watch.note_sent()

    async def _make_ready(self, taker: PictureTaker, taken: TakenPicture) -> None:
        """Look at the page again before the answer is counted, unless the page sends it meanwhile."""
        guard = self._guard
        if await taker.has_changed(taken) and not guard.has_sent:
            raise PictureChanged("the page has drawn another captcha meanwhile")
        sighting = await self._watch.look()
        before = None if self._signs is None else await self._signs.look()
        if guard.has_sent:
            return
        self._watch.note_typed(sighting)
        if self._signs is not None and before is not None:
            self._signs.note_before(before)
        # What can be in the way of a click is worth another attempt, not an answer.
        try:
            await self._filling.await_ready()
        except AttemptFailed:
            if not guard.has_sent:
                raise

    async def _wants_click(self) -> bool:
        """Whether the page waits for its button still; one that sent the answer by itself may have checked it only."""
        if not self._guard.has_sent:
            return not (self._guard.may_have_sent and await self._filling.is_emptied())
        if self._guard.is_leaving or not await self._stays_silent():
            return False
        # A page that has emptied the field is done with the answer; another one, of nothing, must not be sent.
        return not await self._filling.is_emptied() and await self._filling.is_ready()

    async def _stays_silent(self) -> bool:
        """Whether a page shows nothing new for a time although its request has been answered."""
        is_awaiting = True
        while is_awaiting and self._deadline.search_left_seconds > 0:
            # Before the wait: what was answered during it has not had its time.
            is_awaiting = self._watch.awaits_answer(self._guard.sent_urls)
            if await self._watch.shows_verdict(UNASKED_SECONDS) or self._watch.has_new_document:
                return False
        return not is_awaiting

    async def _may_click(self, permit: Callable[[], Awaitable[None]]) -> bool:
        """Count a click on a page that has posted the answer by itself as another answer; False where none is left."""
        if not self._guard.has_sent:
            return True
        if self._guard.has_posted:
            try:
                await permit()
            except AttemptFailed:
                return False
        self._watch.note_clicked()
        return True

    async def await_verdict(self, look_again: Callable[[], Awaitable[bool | None]]) -> Verdict:
        """Return the verdict on the answer, and judge it where no condition does; `look_again` as of SignWatch."""
        window, watch = self._opened.window, self._watch
        try:
            verdict = await watch.wait(self._deadline.search_seconds, self._opened.check)
        except LeftScope as left:
            # Such as a login that goes on elsewhere: the answer was sent, and is judged by where it led.
            self.left_scope_to = _name_origin(left)
            self.judgement = None if self._signs is None else self._signs.judge_leaving(left.url)
            return watch.judge_leaving(left.url)
        if watch.shows_on_page(verdict):
            # Whatever else opened, such as an advert, is not where the answer led.
            window.close()
        elif window.left is not None:
            # No origin where the window went to another scheme.
            with contextlib.suppress(LeftScope):
                self.left_scope_to = _name_origin(window.left)
        self.judgement = None if self._signs is None else await self._signs.judge(look_again)
        return verdict

    def end(self) -> None:
        """Stop watching the page."""
        self._watch.end()
        if self._signs is not None:
            self._signs.end()


def _name_origin(left: LeftScope) -> str:
    try:
        return find_origin(left.url)
    except TargetNotAllowed:
        raise left from None
