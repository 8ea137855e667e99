"""Takes the captcha's picture from an open page, and makes the page draw another one."""

from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator

from captchad.browser.finding.finder import CaptchaFinder, Found
from captchad.browser.finding.frame_scans import Sought
from captchad.browser.finding.page_texts import recognise_page_text
from captchad.browser.finding.pictures import PHOTOGRAPHED, PICTURE, find_again, read_picture
from captchad.browser.page.opened_page import OpenedPage
from captchad.browser.scripts.bounds import cut_url
from captchad.browser.scripts.isolated_world import has_click_handler
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.recognition import Recognition
from captchad.runtime.clock import Clock, Stopwatch

# A script may replace the element between finding and reading it.
READ_TRIES = 3
CLICK_MS = 3000.0
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A captcha's element, its picture, and how the picture was obtained; `reading` where it is text of the page."""

    found: Found
    picture: bytes
    how: str
    reading: Recognition | None = None

    def is_same(self, other: "TakenPicture") -> bool:
        """Whether both show the same captcha."""
        if self.reading is not None and other.reading is not None:
            return self.found.candidate.text == other.found.candidate.text
        return self.picture == other.picture


class PictureTaker:
    """Finds the captcha of one page, as often as asked; moments are seconds of the monotonic clock."""

    def __init__(self, opened: OpenedPage, sought: Sought, clock: Clock) -> None:
        self._opened = opened
        self._sought = sought
        self._clock = clock
        self.locate_ms = 0.0

    async def take(self, until_seconds: float) -> TakenPicture:
        """Return the captcha's picture; searches until the given moment. AttemptFailed says why there is none."""
        opened, stopwatch = self._opened, Stopwatch(self._clock)
        self.locate_ms = 0.0
        for _ in range(READ_TRIES):
            found = await self._find(until_seconds)
            self.locate_ms = stopwatch.total_ms()
            read = await read_picture(found.frame, found.candidate, opened.recorder)
            if read is not None:
                return TakenPicture(found, *read, recognise_page_text(found.candidate))
        raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, "the captcha's element vanished while it was read")

    async def _find(self, until_seconds: float) -> Found:
        opened = self._opened
        is_error_page = opened.is_error_page
        finder = CaptchaFinder(opened, self._sought, self._clock)
        try:
            return await finder.find(until_seconds, opened.check)
        except AttemptFailed as failure:
            if not is_error_page or failure.task_error_code is not TaskErrorCode.CAPTCHA_NOT_FOUND:
                raise
            message = f"{cut_url(opened.page.url)} answered {opened.status} and shows no captcha"
            raise AttemptFailed(TaskErrorCode.HTTP_ERROR, message) from None

    async def has_changed(self, taken: TakenPicture) -> bool:
        """Whether the page shows another picture than the one that was taken, or none."""
        if await find_again(taken.found.frame, taken.found.candidate) is None:
            return True
        if taken.how == PHOTOGRAPHED:
            # Two photographs differ by a blinking caret alone.
            return False
        read = await read_picture(taken.found.frame, taken.found.candidate, self._opened.recorder)
        return read is None or (read[1] == taken.how and read[0] != taken.picture)

    async def await_another(self, before: TakenPicture, until_seconds: float) -> TakenPicture | None:
        """Wait for a picture of other bytes; None where there is none by the given moment."""
        while True:
            taken = await self._take_if_any(until_seconds)
            if taken is not None and not taken.is_same(before):
                return taken
            if self._clock.monotonic_seconds() >= until_seconds:
                return None
            await self._clock.sleep(PAUSE_SECONDS)

    async def _take_if_any(self, until_seconds: float) -> TakenPicture | None:
        try:
            return await self.take(until_seconds)
        except AttemptFailed as failure:
            if failure.task_error_code not in (TaskErrorCode.CAPTCHA_NOT_FOUND, TaskErrorCode.HTTP_ERROR):
                raise
            return None


async def find_clickable(taken: TakenPicture) -> Locator | None:
    """Return the picture's element where a click may draw another one without leaving the page; None where not."""
    frame, candidate = taken.found.frame, taken.found.candidate
    element = None if candidate.link else await find_again(frame, candidate)
    is_clickable = element is not None and (candidate.is_clickable or await has_click_handler(frame, PICTURE))
    return element if is_clickable else None


async def click_picture(taken: TakenPicture) -> bool:
    """Click the picture where that may draw another one; False where it can't be clicked."""
    try:
        element = await find_clickable(taken)
        if element is None:
            return False
        # The click may start a navigation, which the attempt watches itself.
        await element.click(no_wait_after=True, timeout=CLICK_MS)
    except PlaywrightError:
        return False
    return True
