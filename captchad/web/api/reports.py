"""POST /report_answer/ID: a caller says whether an answer was right, and what the picture shows instead."""

from collections.abc import Callable

from aiohttp import web

from captchad.broker.labels import AnswerReports, ReportFate
from captchad.broker.tasks import TaskStore
from captchad.domain.api_key import Scope
from captchad.domain.errors import AnswerMissing, InvalidRequest, Violation
from captchad.domain.label import Verdict
from captchad.domain.recognition import CaptchaKind, find_drawn_text
from captchad.domain.task import TaskRecord, TaskResult
from captchad.intake.admission import check_reach
from captchad.telemetry.metrics import Metrics
from captchad.web.api.answers import ReportedAnswer
from captchad.web.api.schema import ReportBody
from captchad.web.api.validation import read_report
from captchad.web.bodies import BodyWork, parse_json, read_body
from captchad.web.body_meter import BodyMeter
from captchad.web.middleware.access import caller_of
from captchad.web.routes import Route, answer_json

BODY_LIMIT_BYTES = 4096
NO_KEY = "anonymous"
"""Who reports where no API key is required."""


class ReportRoutes:
    """Handler of the route about answers; `collects` says of a target, as it is declared, whether labels are made."""

    def __init__(
        self, tasks: TaskStore, reports: AnswerReports, collects: Callable[[str], bool], metrics: Metrics
    ) -> None:
        self._tasks = tasks
        self._reports = reports
        self._collects = collects
        self._metrics = metrics
        self._body_work = BodyWork()

    def routes(self) -> tuple[Route, ...]:
        """Return the entries of the route table."""
        return (
            Route(
                "POST",
                "/report_answer/{task_id}",
                self.report_answer,
                Scope.SUBMIT,
                "Say whether the answer was right",
                is_rate_limited=True,
                query=(),
                body=ReportBody,
                answers={200: ReportedAnswer},
                errors=(
                    "invalid_request",
                    "task_not_found",
                    "no_answer",
                    "body_too_large",
                    "unsupported_media_type",
                    "rate_limited",
                    "request_timeout",
                ),
            ),
        )

    async def report_answer(self, request: web.Request) -> web.Response:
        """Take a report, and make a label of it where the target's labels are collected."""
        task_id, key = request.match_info["task_id"], caller_of(request)
        report = read_report(parse_json(await self._read_body(request)))
        record = await self._tasks.read(task_id)
        check_reach(key, record.request, Scope.ADMIN)
        text, verdict = judge_report(report, _find_result(record))
        self._metrics.record_answer_report(Verdict.RIGHT if report.right else Verdict.WRONG)
        fate = await self._reports.report(task_id, text, verdict, key.key_id if key is not None else NO_KEY)
        return answer_json({"task_id": task_id, "kept": fate is ReportFate.KEPT, "reason": self._explain(fate, record)})

    async def _read_body(self, request: web.Request) -> bytes:
        meter = BodyMeter()

        async def measure(piece: bytes) -> None:
            await self._body_work.measure(meter, piece)

        return await read_body(request, BODY_LIMIT_BYTES, lambda length: None, measure)

    def _explain(self, fate: ReportFate, record: TaskRecord) -> str | None:
        if fate is ReportFate.GONE:
            return "picture_gone" if self._collects(record.request.target) else "not_collected"
        return "no_room" if fate is ReportFate.DROPPED else None


def _find_result(record: TaskRecord) -> TaskResult:
    if record.result is None:
        raise AnswerMissing(f"the task has no answer: it is {record.status}")
    return record.result


def judge_report(report: ReportBody, result: TaskResult) -> tuple[str, Verdict]:
    """Return the text and the verdict of the label that a report makes; InvalidRequest where it contradicts itself."""
    drawn = find_drawn_text(result.captcha_text, result.expression, result.characters)
    answers, text = {result.captcha_text, drawn}, report.text
    if report.right:
        if text is not None and text.casefold() not in {answer.casefold() for answer in answers}:
            raise _refuse_text(f"is another than the answer {result.captcha_text!r}, which is reported as right")
        return (text if text is not None and result.kind is CaptchaKind.TEXT else drawn), Verdict.RIGHT
    if text in answers:
        raise _refuse_text("is the very answer that is reported as wrong")
    # A result alone does not say what was drawn.
    if text is None or (result.kind is CaptchaKind.MATH and text.lstrip("+-").isdigit()):
        return drawn, Verdict.WRONG
    return text, Verdict.RIGHT


def _refuse_text(message: str) -> InvalidRequest:
    return InvalidRequest("the body is not valid", (Violation("/text", message),))
