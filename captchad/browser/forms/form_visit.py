"""What a visit does beyond looking: answers the captcha in the page's form, and has it draw another one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from captchad.browser.finding.finder import Found, read_finder_script
from captchad.browser.finding.pictures import find_again
from captchad.browser.forms.form import CheckOrigin, FormFilling, FormFinder, order_frames
from captchad.browser.forms.verdict_watch import VerdictWatch
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.visit import Fill, VisitOrder
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet

SAME_DOCUMENT_SECONDS = 1.0
NEW_PICTURE_SECONDS = 5.0
PAUSE_SECONDS = 0.05
CLICK_MS = 3000.0

Taken = tuple[Found, bytes, str]
"""A captcha's element, its picture, and how that was had."""


@dataclass(frozen=True, slots=True)
class PageWork:
    """What a form's visit needs of the page's: `take` seeks until a moment of the monotonic clock."""

    take: Callable[[float], Awaitable[Taken]]
    reload: Callable[[], Awaitable[None]]
    check_page: Callable[[], None]
    check_origin: CheckOrigin


class FormVisit:
    """Answers and refreshes the captcha of one page until `deadline_seconds` (monotonic)."""

    def __init__(
        self,
        page: Page,
        order: VisitOrder,
        work: PageWork,
        clock: Clock,
        keeper: TaskSet,
        deadline_seconds: float,
    ) -> None:
        self._page = page
        self._order = order
        self._work = work
        self._clock = clock
        self._finder = FormFinder(clock, deadline_seconds)
        self._keeper = keeper
        self._deadline_seconds = deadline_seconds
        self._taken: Taken | None = None
        self._new: Taken | None = None
        self._look_seconds = 0.0

    async def take(self) -> Taken:
        """Return the captcha's picture: the one a refresh brought, else what the page shows."""
        self._taken, self._new = self._new or await self._work.take(self._deadline_seconds), None
        self._look_seconds = 0.0
        return self._taken

    @property
    def is_refreshable(self) -> bool:
        """Whether another picture can be had without leaving the page."""
        fill = self._order.fill
        return (fill is not None and fill.refresh is not None) or self._is_clickable

    @property
    def _is_clickable(self) -> bool:
        candidate = self._taken[0].candidate if self._taken is not None else None
        return candidate is not None and candidate.is_clickable and not candidate.link

    async def submit(self, text: str, check_held: Callable[[], None]) -> bool | None:
        """Type and send an answer; return whether it was right, None where the page does not tell."""
        fill, found = self._order.fill, self._taken[0] if self._taken is not None else None
        if fill is None or found is None:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "an answer was given before there was a form to fill")
        filling = await self._find_form(fill, found)
        await filling.check_scope(found.frame, self._work.check_origin)
        watch = VerdictWatch(self._page, filling.field.frame, fill, self._clock, self._keeper)

        def check_and_note() -> None:
            check_held()
            watch.note_sent()

        try:
            await watch.begin()
            await filling.type(text)
            await watch.note_typed()
            await filling.send(check_and_note)
            verdict = await watch.wait(self._deadline_seconds, self._work.check_page)
            self._look_seconds = NEW_PICTURE_SECONDS if watch.has_new_document else SAME_DOCUMENT_SECONDS
            return verdict.verified
        finally:
            watch.end()

    async def _find_form(self, fill: Fill, found: Found) -> FormFilling:
        field = await self._finder.find_field(order_frames(self._page, found.frame), fill.input)
        if fill.submit is None:
            return FormFilling(field, None)
        frames = order_frames(self._page, field.frame)
        return FormFilling(field, await self._finder.find_button(frames, fill.submit, "fill.submit"))

    async def refresh(self) -> None:
        """Have another picture drawn, in the same session, and wait until it is there.

        A page that was answered may show one by itself; else fill.refresh is clicked, or the picture where that can
        be; a form whose page still has none is opened anew.
        """
        if self._look_seconds and await self._await_new(self._look_seconds):
            return
        for way in (self._click_refresh, self._click_picture, self._reload):
            if await way() and await self._await_new(NEW_PICTURE_SECONDS):
                return
        raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the page shows no other picture after a refresh")

    async def _click_refresh(self) -> bool:
        fill = self._order.fill
        if fill is None or fill.refresh is None or self._taken is None:
            return False
        frames = order_frames(self._page, self._taken[0].frame)
        try:
            place = await self._finder.find_button(frames, fill.refresh, "fill.refresh")
            await place.element.click(no_wait_after=True, timeout=CLICK_MS)
        except (AttemptFailed, PlaywrightError):
            return False  # a page that was left, or crashed, shows when it is opened anew
        return True

    async def _click_picture(self) -> bool:
        fill = self._order.fill
        if self._taken is None or not self._is_clickable or (fill is not None and fill.refresh is not None):
            return False
        found = self._taken[0]
        try:
            element = await find_again(found.frame, found.candidate, read_finder_script())
            if element is None:
                return False
            await element.click(no_wait_after=True, timeout=CLICK_MS)
        except PlaywrightError:
            return False
        return True

    async def _reload(self) -> bool:
        if self._order.fill is None:
            return False
        await self._work.reload()
        return True

    async def _await_new(self, limit_seconds: float) -> bool:
        """Wait for a picture of other bytes; False where none comes in time."""
        until_seconds = min(self._clock.monotonic_seconds() + limit_seconds, self._deadline_seconds)
        while True:
            taken = await self._take_anything(until_seconds)
            if taken is not None and (self._taken is None or taken[1] != self._taken[1]):
                self._new = taken
                return True
            if self._clock.monotonic_seconds() >= until_seconds:
                return False
            await self._clock.sleep(PAUSE_SECONDS)

    async def _take_anything(self, until_seconds: float) -> Taken | None:
        try:
            return await self._work.take(until_seconds)
        except AttemptFailed as failure:
            if failure.task_error_code not in (TaskErrorCode.CAPTCHA_NOT_FOUND, TaskErrorCode.HTTP_ERROR):
                raise
            return None
        except PlaywrightError:
            self._work.check_page()
            return None  # the page was on its way to another one
