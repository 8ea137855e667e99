"""One attempt at one task: from the request to an outcome ready to be written."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from captchad.broker.consumer import Delivery, Outcome, Settlement
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.picture import is_vector_picture
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.target import Target
from captchad.domain.task import TaskError, TaskRequest, TaskResult
from captchad.domain.visit import VisitOrder
from captchad.runtime.clock import Clock, Stopwatch
from captchad.solving.task_target import find_task_target
from captchad.solving.visit import CaptchaBrowser, CaptchaVisit
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


Recognise = Callable[[bytes, Hints, str], Awaitable[Recognition]]
"""Reads a picture with what is known of its text, for the target declared as this host."""


class Solver:
    """Solves deliveries; scope is checked here by this worker's own configuration, never by the record."""

    def __init__(
        self,
        browser: CaptchaBrowser,
        recognise: Recognise,
        targets: Callable[[], Sequence[Target]],
        minimum_confidence: Callable[[], float],
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._browser = browser
        self._recognise = recognise
        self._targets = targets
        self._minimum_confidence = minimum_confidence
        self._metrics = metrics
        self._clock = clock

    async def solve(self, delivery: Delivery) -> Settlement:
        """Make one attempt; every failure becomes an outcome, only cancellation passes through."""
        self._metrics.record_queue_age(delivery.request.priority, delivery.queued_ms / 1000)
        try:
            result = await self._attempt(delivery)
        except AttemptFailed as failure:
            return _settle_failure(delivery, failure)
        except Exception:
            _logger.exception("the attempt failed in a way nobody foresaw")
            unforeseen = AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "an internal error; the worker's log has it")
            return _settle_failure(delivery, unforeseen)
        for stage, milliseconds in result.timings_ms.items():
            self._metrics.record_stage(stage, milliseconds / 1000)
        return Settlement(delivery, Outcome.COMPLETED, result=result)

    async def _attempt(self, delivery: Delivery) -> TaskResult:
        if delivery.obstacle is not None:
            raise delivery.obstacle
        target = self._find_target(delivery.request)
        timeout_seconds = max(0.0, min(delivery.request.timeout_seconds, delivery.remaining_seconds))
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._read_captcha(delivery, target, timeout_seconds)
        except TimeoutError:
            raise AttemptFailed(
                TaskErrorCode.ATTEMPT_TIMEOUT, f"the attempt took longer than {timeout_seconds:g} s"
            ) from None

    def _find_target(self, request: TaskRequest) -> Target:
        try:
            return find_task_target(self._targets(), request, self._clock.today())
        except TargetNotAllowed as error:
            raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, error.message) from error

    async def _read_captcha(self, delivery: Delivery, target: Target, timeout_seconds: float) -> TaskResult:
        request, watch = delivery.request, Stopwatch(self._clock)
        if request.url is None:
            picture, timings_ms = await self._provide_picture(request, timeout_seconds, delivery.task_id)
            return await self._recognise_picture(delivery, target, picture, timings_ms, watch)

        async def work(visit: CaptchaVisit) -> TaskResult:
            capture = await visit.capture()
            _logger.debug("took %s", capture.choice)
            return await self._recognise_picture(delivery, target, capture.picture, capture.timings_ms, watch)

        order = order_visit(request, request.url, target)
        return await self._browser.visit(order, work, timeout_seconds, delivery.task_id)

    async def _provide_picture(
        self, request: TaskRequest, timeout_seconds: float, task_id: str
    ) -> tuple[bytes, dict[str, float]]:
        """Give the picture that came with the task, a vector one drawn, and how long that took."""
        picture = request.picture or b""
        if not is_vector_picture(picture):
            return picture, {}
        watch = Stopwatch(self._clock)
        drawn = await self._browser.rasterise(picture, timeout_seconds, task_id)
        return drawn, {"capture": watch.lap_ms()}

    async def _recognise_picture(
        self, delivery: Delivery, target: Target, picture: bytes, stages_ms: dict[str, float], watch: Stopwatch
    ) -> TaskResult:
        timings_ms = {"queue": delivery.queued_ms, "open": 0.0, "locate": 0.0, "capture": 0.0} | stages_ms
        watch.lap_ms()
        recognition = await self._recognise(picture, delivery.request.hints, target.host)
        timings_ms |= {"recognise": watch.lap_ms(), "verify": 0.0, "total": watch.total_ms()}
        self._check_confidence(recognition, target)
        return TaskResult(
            captcha_text=recognition.text,
            confidence=recognition.confidence,
            kind=recognition.kind,
            recogniser=recognition.recogniser,
            characters=recognition.characters,
            expression=recognition.expression,
            timings_ms=timings_ms,
        )

    def _check_confidence(self, recognition: Recognition, target: Target) -> None:
        minimum = self._minimum_confidence() if target.minimum_confidence is None else target.minimum_confidence
        if recognition.confidence < minimum:
            message = f"read with a confidence of {recognition.confidence:.2f}, below the minimum of {minimum:.2f}"
            raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, message)


def order_visit(request: TaskRequest, url: str, target: Target) -> VisitOrder:
    """Give what the browser is to do for a task."""
    return VisitOrder(
        url,
        target.host,
        key_id=request.key_id,
        selector=request.selector,
        session=request.session,
        fill=request.fill,
        wants_session=request.return_session,
        wants_screenshot=request.evidence,
    )


def _settle_failure(delivery: Delivery, failure: AttemptFailed) -> Settlement:
    error = TaskError(failure.task_error_code, failure.message, failure.is_retryable)
    outcome = Outcome.RETRYABLE if failure.is_retryable else Outcome.FAILED
    return Settlement(delivery, outcome, error=error, retry_after_seconds=failure.retry_after_seconds)
