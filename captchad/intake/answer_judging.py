"""What callers find out of the answers they got, on its way to the label store."""

from captchad.broker.labels import AnswerReports, ReportFate
from captchad.broker.tasks import TaskStore
from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.errors import AnswerMissing, InvalidRequest, Violation
from captchad.domain.label import Verdict
from captchad.domain.recognition import CaptchaKind, find_drawn_text
from captchad.domain.task import TaskRecord, TaskResult
from captchad.intake.admission import check_reach
from captchad.telemetry.metrics import Metrics

NO_KEY = "anonymous"
"""Who reports where no API key is required."""


class AnswerJudging:
    """Takes reports on answers, whichever route they come by."""

    def __init__(self, tasks: TaskStore, reports: AnswerReports, metrics: Metrics) -> None:
        self._tasks = tasks
        self._reports = reports
        self._metrics = metrics

    async def judge(
        self, task_id: str, key: ApiKey | None, is_right: bool, text: str | None = None
    ) -> tuple[TaskRecord, ReportFate]:
        """Make a label of a report where the target's labels are collected; a later report replaces an earlier one.

        `text` is what the picture shows. Raises TaskNotFound, Forbidden, AnswerMissing or InvalidRequest.
        """
        record = await self._tasks.read(task_id)
        check_reach(key, task_id, record.request, Scope.ADMIN)
        drawn, verdict = judge_report(is_right, text, _find_result(record))
        self._metrics.record_answer_report(Verdict.RIGHT if is_right else Verdict.WRONG)
        who = key.key_id if key is not None else NO_KEY
        return record, await self._reports.report(task_id, drawn, verdict, who)


def _find_result(record: TaskRecord) -> TaskResult:
    if record.result is None:
        raise AnswerMissing(f"the task has no answer: it is {record.status}")
    return record.result


def judge_report(is_right: bool, text: str | None, result: TaskResult) -> tuple[str, Verdict]:
    """Return the text and the verdict of the label that a report makes; InvalidRequest where it contradicts itself."""
    drawn = find_drawn_text(result.captcha_text, result.expression, result.characters)
    answers = {result.captcha_text, drawn}
    if is_right:
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
