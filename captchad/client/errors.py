"""What a client raises: the gateway's refusals, and the ends of tasks that have no answer."""

from captchad.client.advice import TASK_ADVICE
from captchad.client.results import Task
from captchad.domain.errors import (
    AlreadyFinished,
    AnswerMissing,
    BodyTooLarge,
    BrokerUnavailable,
    CaptchadError,
    FeatureNotBuilt,
    Forbidden,
    GatewayFailed,
    GatewayUnreachable,
    IdempotencyConflict,
    InvalidRequest,
    Overloaded,
    QueueFull,
    RateLimited,
    RequestTimedOut,
    TargetNotAllowed,
    TaskErrorCode,
    TaskNotFound,
    Unauthorized,
    UnsupportedCharset,
    UnsupportedMediaType,
    Violation,
)

__all__ = [
    "AlreadyFinished",
    "AnswerMissing",
    "BodyTooLarge",
    "BrokerUnavailable",
    "CaptchadError",
    "FeatureNotBuilt",
    "Forbidden",
    "GatewayFailed",
    "GatewayUnreachable",
    "IdempotencyConflict",
    "InvalidRequest",
    "Overloaded",
    "QueueFull",
    "RateLimited",
    "RequestTimedOut",
    "TargetNotAllowed",
    "TaskErrorCode",
    "TaskFailed",
    "TaskNotFound",
    "TaskUnfinished",
    "Unauthorized",
    "UnsupportedCharset",
    "UnsupportedMediaType",
    "Violation",
]


class TaskFailed(CaptchadError):
    """The task ended without an answer; `task_code` says why, as the `code` of its error."""

    code = "task_failed"

    def __init__(self, task: Task) -> None:
        self.task = task
        failure = task.error
        self.task_code = failure.code if failure else str(task.status)
        message = f"{task.task_id} {task.status}: {self.task_code}"
        if failure and failure.message:
            message += f": {failure.message}"
        advice = TASK_ADVICE.get(self.task_code)
        super().__init__(f"{message.rstrip('.')} — {advice}" if advice else message)


class TaskUnfinished(CaptchadError):
    """The task had not ended when the time to wait for it was over; it goes on all the same."""

    code = "task_unfinished"

    def __init__(self, task: Task, waited_seconds: float) -> None:
        self.task = task
        awaited = f", waiting for {task.waiting_for.reason}" if task.waiting_for else ""
        super().__init__(
            f"{task.task_id} is still {task.status} after {waited_seconds:g} s{awaited} — wait on with wait(task), "
            "cancel(task), or see `captchad health`, whether a worker is up"
        )
