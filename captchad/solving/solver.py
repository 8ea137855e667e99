"""One attempt at one task: from the request to an outcome ready to be written."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from captchad.broker.consumer import Delivery, Outcome, Settlement
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.picture import is_vector_picture
from captchad.domain.target import Target
from captchad.domain.task import TaskError, TaskRequest, TaskResult
from captchad.domain.visit import VisitOrder
from captchad.runtime.clock import Clock
from captchad.solving.attempt import Attempt, StageTimes
from captchad.solving.fill_loop import FillLoop, LeaseLapsed, RetriesUsedUp
from captchad.solving.reading import PictureReader
from captchad.solving.task_target import find_task_target
from captchad.solving.visit import CaptchaBrowser
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


class Solver:
    """Solves deliveries; scope is checked here by this worker's own configuration, never by the record."""

    def __init__(
        self,
        browser: CaptchaBrowser,
        reader: PictureReader,
        targets: Callable[[], Sequence[Target]],
        is_held: Callable[[Delivery], bool],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._browser = browser
        self._reader = reader
        self._targets = targets
        self._is_held = is_held
        self._metrics = metrics
        self._clock = clock

    async def solve(self, delivery: Delivery) -> Settlement:
        """Make one attempt; every failure becomes an outcome, only cancellation passes through."""
        self._metrics.record_queue_age(delivery.request.priority, delivery.queued_ms / 1000)
        try:
            attempt = self._begin(delivery)
        except AttemptFailed as failure:
            return _settle_failure(delivery, failure)
        return await self._settle(attempt)

    def _begin(self, delivery: Delivery) -> Attempt:
        if delivery.obstacle is not None:
            raise delivery.obstacle
        times = StageTimes(delivery.queued_ms, self._clock)
        return Attempt(delivery, self._find_target(delivery.request), times)

    def _find_target(self, request: TaskRequest) -> Target:
        try:
            return find_task_target(self._targets(), request, self._clock.today())
        except TargetNotAllowed as error:
            raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, error.message) from error

    async def _settle(self, attempt: Attempt) -> Settlement:
        delivery = attempt.delivery
        try:
            result = await self._solve_in_time(attempt)
        except LeaseLapsed:
            _logger.warning("the answer is not sent: the lease could not be renewed")
            return Settlement(delivery, Outcome.HANDED_BACK)
        except AttemptFailed as failure:
            return _settle_failure(delivery, failure, attempt)
        except Exception:
            _logger.exception("the attempt failed in a way nobody foresaw")
            unforeseen = AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "an internal error; the worker's log has it")
            return _settle_failure(delivery, unforeseen, attempt)
        for stage, milliseconds in result.timings_ms.items():
            self._metrics.record_stage(stage, milliseconds / 1000)
        return Settlement(delivery, Outcome.COMPLETED, result=result, evidence=attempt.evidence)

    async def _solve_in_time(self, attempt: Attempt) -> TaskResult:
        delivery = attempt.delivery
        timeout_seconds = max(0.0, min(delivery.request.timeout_seconds, delivery.remaining_seconds))
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._read_captcha(attempt, timeout_seconds)
        except TimeoutError:
            message = f"the attempt took longer than {timeout_seconds:g} s"
            raise _explain_timeout(attempt, AttemptFailed(TaskErrorCode.ATTEMPT_TIMEOUT, message)) from None
        except AttemptFailed as failure:
            if failure.task_error_code is not TaskErrorCode.ATTEMPT_TIMEOUT:
                raise
            raise _explain_timeout(attempt, failure) from None

    async def _read_captcha(self, attempt: Attempt, timeout_seconds: float) -> TaskResult:
        delivery = attempt.delivery
        if delivery.request.url is None:
            return await self._read_picture(attempt, timeout_seconds)

        def check_held() -> None:
            if not self._is_held(delivery):
                raise LeaseLapsed

        work = FillLoop(attempt, self._reader, check_held).work
        order = order_visit(delivery.request, delivery.request.url, attempt.target)
        return await self._browser.visit(order, work, timeout_seconds, delivery.task_id)

    async def _read_picture(self, attempt: Attempt, timeout_seconds: float) -> TaskResult:
        """Read the picture that came with the task, a vector one drawn."""
        request, times = attempt.delivery.request, attempt.times
        picture = request.picture or b""
        if is_vector_picture(picture):
            picture = await self._browser.rasterise(picture, timeout_seconds, attempt.delivery.task_id)
            times.end("capture")
        attempt.keep(picture)
        times.restart()
        recognition = await self._reader.read(picture, request.hints, attempt.target)
        times.end("recognise")
        return attempt.conclude(recognition)


def order_visit(request: TaskRequest, url: str, target: Target) -> VisitOrder:
    """Return what the browser is to do for a task."""
    return VisitOrder(
        url,
        target.host,
        key_id=request.key_id,
        selector=request.selector,
        session=request.session,
        fill=request.fill,
        wants_session=request.return_session,
    )


def _explain_timeout(attempt: Attempt, failure: AttemptFailed) -> AttemptFailed:
    """Name wrong answers as the reason where there were any: they are what took the time."""
    if not attempt.wrong_answers:
        return failure
    message = f"{attempt.wrong_answers} answers were wrong, and {failure.message}"
    return AttemptFailed(TaskErrorCode.WRONG_ANSWER, message)


def _settle_failure(delivery: Delivery, failure: AttemptFailed, attempt: Attempt | None = None) -> Settlement:
    error = TaskError(failure.task_error_code, failure.message, failure.is_retryable)
    outcome = Outcome.RETRYABLE if failure.is_retryable else Outcome.FAILED
    if isinstance(failure, RetriesUsedUp):
        outcome = Outcome.EXHAUSTED
    evidence = attempt.evidence if attempt is not None else None
    return Settlement(
        delivery, outcome, error=error, retry_after_seconds=failure.retry_after_seconds, evidence=evidence
    )
