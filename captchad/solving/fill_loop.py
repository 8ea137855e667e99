"""The work on one open page: picture after picture, until one is read and, where there is a form, accepted."""

import asyncio
import contextlib
import logging
from dataclasses import replace

from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, PictureChanged, TaskErrorCode
from captchad.domain.page import Evidence
from captchad.domain.recognition import Recognition
from captchad.domain.task import TaskResult
from captchad.solving.answer_permits import AnswerPermits
from captchad.solving.attempt import Attempt
from captchad.solving.captcha_page import CaptchaPage
from captchad.solving.permission import RetriesUsedUp
from captchad.solving.reading import PictureReader

# Bounded: a page that hangs gives no screenshot.
LAST_SCREENSHOT_SECONDS = 2.0
CHANGES_LIMIT = 3

_logger = logging.getLogger(__name__)


class FillLoop:
    """Reads the captcha of one page and answers it.

    An uncertain reading and a wrong answer both cost a try; the next one is made with another picture in the same
    session. Each answer is permitted before it is sent.
    """

    def __init__(self, attempt: Attempt, reader: PictureReader, permits: AnswerPermits) -> None:
        self._attempt = attempt
        self._request = attempt.delivery.request
        self._reader = reader
        self._permits = permits
        self._tries_left = attempt.tries

    async def work(self, page: CaptchaPage) -> TaskResult:
        """Return the result of a page that has just been opened; AttemptFailed says why there is none."""
        try:
            while True:
                self._tries_left -= 1
                recognition = await self._try_once(page)
                if recognition is not None:
                    return await self._conclude(page, recognition)
        except AttemptFailed:
            await self._photograph_end(page)
            raise

    async def _try_once(self, page: CaptchaPage) -> Recognition | None:
        """Return the reading of the current picture if it is final; None once there is another picture to try."""
        for _ in range(CHANGES_LIMIT):
            # A picture that changed before its answer was sent costs no try.
            with contextlib.suppress(PictureChanged):
                return await self._read_and_answer(page)
        message = f"the page has drawn another captcha {CHANGES_LIMIT} times while its answer was typed"
        raise AttemptFailed(TaskErrorCode.CAPTCHA_NOT_FOUND, message)

    async def _read_and_answer(self, page: CaptchaPage) -> Recognition | None:
        capture = await self._capture(page)
        try:
            recognition = await self._read(capture)
        except AttemptFailed as failure:
            if failure.task_error_code is not TaskErrorCode.CAPTCHA_UNREADABLE or not await page.can_refresh():
                raise
            await self._refresh(page, failure)
            return None
        # None (unknown) stands: without a sign of failure another try could answer a second time.
        verified = None if self._request.fill is None else await self._answer(page, recognition)
        if capture.reading is None:
            self._attempt.judge(capture.picture, recognition, verified)
        if verified is not False:
            return recognition
        await self._refresh(page, self._explain_wrong())
        return None

    async def _capture(self, page: CaptchaPage) -> CaptchaCapture:
        capture = await page.capture()
        _logger.debug("took %s", capture.choice)
        times = self._attempt.times
        times.add(capture.timings_ms)
        times.restart()
        if self._request.evidence:
            self._attempt.keep(capture.picture, await page.screenshot(), capture.choice)
            times.end("capture")
        return capture

    async def _read(self, capture: CaptchaCapture) -> Recognition:
        try:
            if capture.reading is not None:
                return self._reader.accept(capture.reading, self._attempt)
            return await self._reader.read(capture.picture, self._attempt, capture.instruction)
        finally:
            self._attempt.times.end("recognise")

    async def _answer(self, page: CaptchaPage, recognition: Recognition) -> bool | None:
        await self._permits.reserve(self._attempt)
        try:
            verified = await page.submit(recognition.text, self._permit)
        except AttemptFailed as failure:
            if failure.retry_after_seconds is not None:
                # The site was too busy to look at it.
                self._attempt.is_answer_open = False
            raise
        self._attempt.times.end("verify")
        self._attempt.note_verdict(verified, page.judgement)
        return verified

    async def _permit(self) -> None:
        await self._permits.permit(self._attempt)

    def _explain_wrong(self) -> AttemptFailed:
        count = self._attempt.wrong_answers
        answers = "the answer was wrong" if count == 1 else f"{count} answers were wrong"
        fill = self._request.fill
        if fill is not None and fill.success is not None and fill.failure is None:
            # Whoever mistypes the condition learns here that it never showed.
            answers = f"{answers}: the page did not show fill.success ({fill.success})"
        return AttemptFailed(TaskErrorCode.WRONG_ANSWER, answers)

    async def _refresh(self, page: CaptchaPage, reason: AttemptFailed) -> None:
        """Get another picture; where there is none, the attempt fails with the reason for wanting one."""
        if self._tries_left <= 0 or (self._request.fill is not None and self._attempt.answers_left <= 0):
            # Without this the task would be retried for attempts that were never made.
            raise RetriesUsedUp(reason.task_error_code, reason.message)
        _logger.info("%s: %s; trying another picture", reason.task_error_code, reason.message)
        try:
            await page.refresh()
        except AttemptFailed as failure:
            if failure.task_error_code is not TaskErrorCode.CAPTCHA_NOT_FOUND:
                raise
            raise AttemptFailed(reason.task_error_code, f"{reason.message}; {failure.message}") from None
        self._attempt.times.end("capture")

    async def _conclude(self, page: CaptchaPage, recognition: Recognition) -> TaskResult:
        self._attempt.left_scope_to = page.left_scope_to
        if self._request.return_session:
            self._attempt.session = await page.read_session()
        if page.has_window:
            await self._photograph_end(page)
        return self._attempt.conclude(recognition)

    async def _photograph_end(self, page: CaptchaPage) -> None:
        """Keep a screenshot of the page where no captcha was found on it, and of a window that an answer has opened."""
        kept = self._attempt.evidence
        if not self._request.evidence or (kept is not None and not page.has_window):
            return
        with contextlib.suppress(AttemptFailed, TimeoutError):
            async with asyncio.timeout(LAST_SCREENSHOT_SECONDS):
                self._attempt.evidence = replace(kept or Evidence(b""), screenshot=await page.screenshot())
