"""One attempt at one task: from the request to an outcome ready to be written."""

import logging
from collections.abc import Callable

from captchad.broker.consumer import AttemptOutcome, Deferral, Delivery, Settlement
from captchad.domain.errors import AttemptFailed, PictureRefused, TaskErrorCode
from captchad.domain.page import PageOrder
from captchad.domain.picture import is_vector_picture
from captchad.domain.target import Target
from captchad.domain.task import TaskError, TaskRequest, TaskResult
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.solving.answer_permits import AnswerPermits
from captchad.solving.attempt import Attempt, StageTimes
from captchad.solving.captcha_page import CaptchaBrowser
from captchad.solving.fill_loop import FillLoop
from captchad.solving.permission import LeaseLapsed, NoRoom, RetriesUsedUp, explain_all_sent
from captchad.solving.reading import PictureReader
from captchad.telemetry.metrics import Metrics

SHOWING_THE_CAPTCHA = frozenset({TaskErrorCode.CAPTCHA_UNREADABLE, TaskErrorCode.WRONG_ANSWER})
"""These failures say something of the captcha; all others are the page's."""

NO_ROOM = Deferral(delay_ms=1000, pace_ms=1000, reason="concurrency")

_logger = logging.getLogger(__name__)


class Solver:
    """Makes attempts at deliveries that their targets allow."""

    def __init__(
        self,
        browser: CaptchaBrowser,
        reader: PictureReader,
        permits: AnswerPermits,
        metrics: Metrics,
        clock: Clock,
        collects_labels: Callable[[Target], bool],
    ) -> None:
        self._browser = browser
        self._reader = reader
        self._permits = permits
        self._metrics = metrics
        self._clock = clock
        self._collects_labels = collects_labels

    async def solve(self, delivery: Delivery, target: Target) -> Settlement:
        """Make one attempt; every failure becomes an outcome, only cancellation propagates."""
        self._metrics.record_queue_age(delivery.request.priority, delivery.queued_ms / 1000)
        # The attempt's only deadline; everything below gets it as an argument.
        deadline = Deadline(min(delivery.request.timeout_seconds, delivery.remaining_seconds), self._clock)
        times = StageTimes(delivery.queued_ms, self._clock)
        attempt = Attempt(delivery, target, deadline, times, self._collects_labels(target))
        try:
            return await self._settle(attempt)
        finally:
            self._permits.conclude(attempt)

    async def _settle(self, attempt: Attempt) -> Settlement:
        delivery = attempt.delivery
        try:
            result = await self._solve_in_time(attempt)
        except LeaseLapsed:
            _logger.warning("the answer is not sent: the lease could not be renewed")
            # Handed back, not failed: where another worker has the task, the fence refuses this too.
            return Settlement(delivery, AttemptOutcome.HANDED_BACK)
        except NoRoom:
            self._metrics.record_deferral(NO_ROOM.reason)
            return Settlement(delivery, AttemptOutcome.DEFERRED, deferral=NO_ROOM)
        except AttemptFailed as failure:
            return settle_failure(delivery, failure, attempt)
        except Exception:
            _logger.exception("the attempt failed unexpectedly")
            unexpected = AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "an internal error; the worker's log has it")
            return settle_failure(delivery, unexpected, attempt)
        for stage, milliseconds in result.timings_ms.items():
            self._metrics.record_stage(stage, milliseconds / 1000)
        return Settlement(
            delivery,
            AttemptOutcome.COMPLETED,
            result=result,
            evidence=attempt.evidence,
            answers=attempt.answers,
            observation=attempt.observation,
        )

    async def _solve_in_time(self, attempt: Attempt) -> TaskResult:
        try:
            async with attempt.deadline.enforce():
                return await self._read_captcha(attempt)
        except AttemptFailed as failure:
            if failure.task_error_code is not TaskErrorCode.ATTEMPT_TIMEOUT:
                raise
            raise _explain_timeout(attempt, failure) from None

    async def _read_captcha(self, attempt: Attempt) -> TaskResult:
        delivery = attempt.delivery
        if delivery.request.url is None:
            return await self._read_picture(attempt)
        if delivery.request.fill is not None and attempt.answers_left <= 0:
            raise explain_all_sent(delivery.answers)
        order = order_page(delivery.request, delivery.request.url, attempt.target)
        async with self._browser.open_page(order, attempt.deadline) as page:
            return await FillLoop(attempt, self._reader, self._permits).work(page)

    async def _read_picture(self, attempt: Attempt) -> TaskResult:
        """Read the picture that came with the task; a vector picture is drawn first."""
        request, times = attempt.delivery.request, attempt.times
        picture = request.picture or b""
        if is_vector_picture(picture):
            picture = await self._browser.rasterise(picture, attempt.deadline)
            times.end("capture")
        attempt.keep(picture)
        times.restart()
        try:
            recognition = await self._reader.read(picture, attempt)
        except AttemptFailed as failure:
            if not isinstance(failure.__cause__, PictureRefused):
                raise
            # Unlike a page's, this picture never changes.
            message = f"{failure.message}; send the whole file"
            raise AttemptFailed(failure.task_error_code, message, is_final=True) from None
        times.end("recognise")
        attempt.judge(picture, recognition, verified=None)
        return attempt.conclude(recognition)


def order_page(request: TaskRequest, url: str, target: Target) -> PageOrder:
    """Return the page order of a task."""
    return PageOrder(
        url,
        target.host,
        key_id=request.key_id,
        selector=request.selector,
        session=request.session,
        steps=request.steps,
        fill=request.fill,
        wants_session=request.return_session,
        may_reach_typed=target.may_be_typed_into,
    )


def _explain_timeout(attempt: Attempt, failure: AttemptFailed) -> AttemptFailed:
    """Name wrong answers as the reason where there were any, since they took the time."""
    if not attempt.wrong_answers:
        return failure
    message = f"{attempt.wrong_answers} answers were wrong, and {failure.message}"
    return AttemptFailed(TaskErrorCode.WRONG_ANSWER, message)


def settle_failure(delivery: Delivery, failure: AttemptFailed, attempt: Attempt | None = None) -> Settlement:
    """Return the outcome of an attempt that failed."""
    error = TaskError(failure.task_error_code, failure.message, failure.is_retryable)
    outcome = AttemptOutcome.RETRYABLE if failure.is_retryable else AttemptOutcome.FAILED
    if isinstance(failure, RetriesUsedUp):
        outcome = AttemptOutcome.EXHAUSTED
    observation = attempt.observation if attempt is not None else None
    return Settlement(
        delivery,
        outcome,
        error=error,
        retry_after_seconds=failure.retry_after_seconds,
        evidence=attempt.evidence if attempt is not None else None,
        answers=attempt.answers if attempt is not None else None,
        observation=observation if failure.task_error_code in SHOWING_THE_CAPTCHA else None,
    )
