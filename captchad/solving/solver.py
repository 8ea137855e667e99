"""One attempt at one task: from the request to an outcome ready to be written."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from captchad.broker.consumer import Delivery, Outcome, Settlement
from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TargetNotAllowed, TaskErrorCode
from captchad.domain.picture import is_vector_picture
from captchad.domain.recognition import Hints, Recognition
from captchad.domain.target import Target, find_target, find_target_by_name, parse_endpoint
from captchad.domain.task import TaskError, TaskRequest, TaskResult
from captchad.runtime.clock import Clock, Stopwatch
from captchad.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)


class CaptchaBrowser(Protocol):
    """Opens a page and brings back its captcha: local browsers, and remote ones."""

    async def capture(self, url: str, selector: str | None, timeout_seconds: float, task_id: str) -> CaptchaCapture:
        """Give the captcha of a page; AttemptFailed says why there is none."""

    async def rasterise(self, svg: bytes, timeout_seconds: float, task_id: str) -> bytes:
        """Give a vector picture as PNG."""


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
            if request.url is None:
                return find_target_by_name(self._targets(), request.target, self._clock.today())
            return find_target(self._targets(), parse_endpoint(request.url), self._clock.today())
        except TargetNotAllowed as error:
            raise AttemptFailed(TaskErrorCode.TARGET_NOT_ALLOWED, error.message) from error

    async def _read_captcha(self, delivery: Delivery, target: Target, timeout_seconds: float) -> TaskResult:
        request, watch = delivery.request, Stopwatch(self._clock)
        timings_ms = {"queue": delivery.queued_ms, "open": 0.0, "locate": 0.0, "capture": 0.0}
        picture = request.picture
        if request.url is not None:
            capture = await self._browser.capture(request.url, request.selector, timeout_seconds, delivery.task_id)
            timings_ms |= capture.timings_ms
            picture = capture.picture
            _logger.debug("took %s", capture.choice)
        elif picture is not None and is_vector_picture(picture):
            picture = await self._browser.rasterise(picture, timeout_seconds, delivery.task_id)
            timings_ms["capture"] = watch.lap_ms()
        watch.lap_ms()
        recognition = await self._recognise(picture or b"", request.hints, target.host)
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


def _settle_failure(delivery: Delivery, failure: AttemptFailed) -> Settlement:
    error = TaskError(failure.task_error_code, failure.message, failure.is_retryable)
    return Settlement(delivery, Outcome.RETRYABLE if failure.is_retryable else Outcome.FAILED, error=error)
