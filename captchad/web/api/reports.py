"""POST /report_answer/ID: a caller says whether an answer was right, and what the picture shows instead."""

from collections.abc import Callable

from aiohttp import web

from captchad.broker.labels import ReportFate
from captchad.domain.api_key import Scope
from captchad.domain.task import TaskRecord
from captchad.intake.answer_judging import AnswerJudging
from captchad.web.api.answers import ReportedAnswer
from captchad.web.api.schema import ReportBody
from captchad.web.api.validation import read_report
from captchad.web.bodies import BodyWork, parse_json, read_body
from captchad.web.body_meter import BodyMeter
from captchad.web.middleware.access import caller_of
from captchad.web.middleware.audit import audit_object
from captchad.web.routes import Route, answer_json

BODY_LIMIT_BYTES = 4096


class ReportRoutes:
    """Handler of the route about answers; `collects` says of a target, as it is declared, whether labels are made."""

    def __init__(self, judging: AnswerJudging, collects: Callable[[str], bool]) -> None:
        self._judging = judging
        self._collects = collects
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
        audit_object(request)["right"] = report.right
        record, fate = await self._judging.judge(task_id, key, report.right, report.text)
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
