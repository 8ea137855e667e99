"""Takes the captcha's picture from an open page."""

from dataclasses import dataclass

from captchad.browser.finding.finder import CaptchaFinder, Found
from captchad.browser.finding.frame_scans import Sought
from captchad.browser.finding.page_texts import recognise_page_text
from captchad.browser.finding.pictures import PHOTOGRAPHED, find_again, read_picture
from captchad.browser.page.opened_page import OpenedPage
from captchad.browser.scripts.bounds import cut_url
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.recognition import Recognition
from captchad.runtime.clock import Clock, Stopwatch

# A script may replace the element between finding and reading it.
READ_TRIES = 3
LOADING_SECONDS = 1.0
PAUSE_SECONDS = 0.05
ABSENT = (TaskErrorCode.CAPTCHA_NOT_FOUND, TaskErrorCode.HTTP_ERROR, TaskErrorCode.ATTEMPT_TIMEOUT)


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
        self._is_awaiting = False

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
        finally:
            self._is_awaiting = finder.is_awaiting

    async def has_changed(self, taken: TakenPicture) -> bool:
        """Whether the page shows another picture than the one that was taken, or none."""
        if await find_again(taken.found.frame, taken.found.candidate) is None:
            return True
        if taken.how == PHOTOGRAPHED:
            # Two photographs differ by a blinking caret alone.
            return False
        read = await read_picture(taken.found.frame, taken.found.candidate, self._opened.recorder)
        return read is None or (read[1] == taken.how and read[0] != taken.picture)

    async def await_another(
        self, before: TakenPicture, until_seconds: float, latest_seconds: float
    ) -> TakenPicture | None:
        """Wait for a picture of other bytes; None where there is none by the first moment.

        While the captcha's picture is loading, it is waited for until the latest moment.
        """
        while True:
            taken = await self._take_if_any(until_seconds)
            if taken is not None and not taken.is_same(before):
                return taken
            now_seconds = self._clock.monotonic_seconds()
            if now_seconds >= until_seconds:
                if not self._is_awaiting or now_seconds >= latest_seconds:
                    return None
                until_seconds = min(now_seconds + LOADING_SECONDS, latest_seconds)
            await self._clock.sleep(PAUSE_SECONDS)

    async def take_now(self) -> TakenPicture | None:
        """Return what the page shows at this moment; None where that is no captcha."""
        return await self._take_if_any(self._clock.monotonic_seconds())

    async def _take_if_any(self, until_seconds: float) -> TakenPicture | None:
        try:
            return await self.take(until_seconds)
        except AttemptFailed as failure:
            if failure.task_error_code not in ABSENT:
                raise
            return None
