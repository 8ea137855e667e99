"""All of captchad's errors: one class for each stable code that a caller can act on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from captchad.domain.plain_text import bound_message


class CaptchadError(Exception):
    """Base of all errors that captchad answers with a code; `code` never changes between releases."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: `pointer` is an RFC 6901 JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    message: str


class InvalidRequest(CaptchadError):
    """The request can't be understood; every wrong field is named at once."""

    code = "invalid_request"

    def __init__(self, message: str, violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(message)
        self.violations = violations


class UnsupportedCharset(InvalidRequest):
    """A charset has symbols that no engine of the fleet reads; each field is named with them."""

    code = "unsupported_charset"


class Unauthorized(CaptchadError):
    """No valid API key came with the request; `key_id` is that of one that was valid before."""

    code = "unauthorized"

    def __init__(self, message: str, key_id: str | None = None) -> None:
        super().__init__(message)
        self.key_id = key_id


class KeyNotFound(CaptchadError):
    """No API key of this name or id is still valid."""

    code = "key_not_found"


class Forbidden(CaptchadError):
    """The key is valid but may not do this."""

    code = "forbidden"


class TargetNotAllowed(CaptchadError):
    """The host, port, scheme or address is outside the declared targets."""

    code = "target_not_allowed"


class TaskNotFound(CaptchadError):
    """No record has this id: never made, or expired."""

    code = "task_not_found"


def make_task_not_found(task_id: str) -> TaskNotFound:
    """Return the error for a task that isn't there; it never tells that from somebody else's."""
    return TaskNotFound(f"there is no task {task_id}; it may have expired")


class AlreadyFinished(CaptchadError):
    """The task is completed or failed, so it can't be cancelled any more."""

    code = "already_finished"


class AnswerMissing(CaptchadError):
    """The task has no answer that could be right or wrong: it has not ended, or ended without one."""

    code = "no_answer"


class RequestTimedOut(CaptchadError):
    """The body of a request did not come in time."""

    code = "request_timeout"


class BodyTooLarge(CaptchadError):
    """The body or the picture in it exceeds its limit."""

    code = "body_too_large"


class UnsupportedMediaType(CaptchadError):
    """The body's content type is not the one this route reads."""

    code = "unsupported_media_type"


class IdempotencyConflict(CaptchadError):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency_conflict"


class RateLimited(CaptchadError):
    """The caller's rate limit is used up; `retry_after_seconds` says when to try again."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class QuotaExceeded(RateLimited):
    """The API key's tasks of this day are used up; nothing was stored."""

    code = "quota_exceeded"


class FeatureNotBuilt(CaptchadError):
    """The field or setting is part of the contract, but this release has no engine for it yet."""

    code = "not_implemented"


class Overloaded(CaptchadError):
    """The process has as much under way as it has room for; nothing was stored."""

    code = "overloaded"


class QueueFull(CaptchadError):
    """The queue's bound is reached; nothing was stored."""

    code = "queue_full"


class BrokerUnavailable(CaptchadError):
    """Redis does not answer or refuses, or too few replicas acknowledged.

    `task_id` is set when the write may have happened: the same Idempotency-Key resumes it.
    """

    code = "broker_unavailable"

    def __init__(self, message: str, task_id: str | None = None) -> None:
        super().__init__(message)
        self.task_id = task_id


class BrokerRefused(BrokerUnavailable):
    """Redis answered, and wrote nothing: it is read-only, loading, or short of replicas or disk."""


class BrokerForbidden(BrokerUnavailable):
    """Redis refuses the login, or a right that the call needs."""


class BrokerFull(BrokerRefused):
    """Redis answered, and wrote nothing for want of memory; what needs none still goes on."""


class TaskErrorCode(StrEnum):
    """Why a task failed; the `code` of a task's `error`."""

    CAPTCHA_NOT_FOUND = "captcha_not_found"
    FORM_REJECTED = "form_rejected"
    STEP_FAILED = "step_failed"
    CAPTCHA_UNREADABLE = "captcha_unreadable"
    UNSUPPORTED_CAPTCHA = "unsupported_captcha"
    NAVIGATION_FAILED = "navigation_failed"
    CERTIFICATE_ERROR = "certificate_error"
    TARGET_NOT_ALLOWED = "target_not_allowed"
    HTTP_ERROR = "http_error"
    ATTEMPT_TIMEOUT = "attempt_timeout"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    WRONG_ANSWER = "wrong_answer"
    BROWSER_CRASHED = "browser_crashed"
    WORKER_LOST = "worker_lost"
    UNREADABLE_RECORD = "unreadable_record"
    CANCELLED = "cancelled"
    SESSION_TOO_LARGE = "session_too_large"
    INTERNAL_ERROR = "internal_error"


FINAL_AT_ONCE = frozenset(
    {
        TaskErrorCode.UNSUPPORTED_CAPTCHA,
        TaskErrorCode.FORM_REJECTED,
        TaskErrorCode.TARGET_NOT_ALLOWED,
        TaskErrorCode.CERTIFICATE_ERROR,
        TaskErrorCode.DEADLINE_EXCEEDED,
        TaskErrorCode.CANCELLED,
        TaskErrorCode.SESSION_TOO_LARGE,
    }
)
"""Codes for which another attempt is useless; all others are retryable."""


class AttemptFailed(CaptchadError):
    """One attempt at a task failed; `task_error_code` decides whether another is made, unless this one `is_final`.

    The message may have words of the page's, so it is escaped and cut.
    `retry_after_seconds` is set where the site itself asked to be left alone for so long.
    """

    code = "attempt_failed"

    def __init__(
        self,
        task_error_code: TaskErrorCode,
        message: str,
        retry_after_seconds: float | None = None,
        *,
        is_final: bool = False,
    ) -> None:
        super().__init__(bound_message(message))
        self.task_error_code = task_error_code
        self.retry_after_seconds = retry_after_seconds
        self.is_final = is_final

    def reword(self, write: Callable[[str], str]) -> None:
        """Write the message anew."""
        self.message = bound_message(write(self.message))
        self.args = (self.message,)

    @property
    def is_retryable(self) -> bool:
        """Whether another attempt may succeed."""
        return not self.is_final and self.task_error_code not in FINAL_AT_ONCE


class LeftScope(AttemptFailed):
    """The page went to `url`, which is out of scope, and was stopped."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(TaskErrorCode.TARGET_NOT_ALLOWED, message)
        self.url = url


class PictureChanged(CaptchadError):
    """The page has drawn another captcha since the one that was read, so that the answer was not sent."""

    code = "picture_changed"


@dataclass(frozen=True, slots=True)
class ConfigurationProblem:
    """One wrong setting: `path` is dotted (`worker.task_timeout`) and `source` says where it was set."""

    path: str
    message: str
    source: str = ""


class ConfigurationError(CaptchadError):
    """The configuration can't be used; every wrong setting is named at once."""

    code = "invalid_configuration"

    def __init__(self, problems: tuple[ConfigurationProblem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in problems))


class GatewayUnreachable(CaptchadError):
    """No captchad gateway answers at the address the client was given.

    Where something answers there all the same (`is_something_there`), the message says what to do by itself.
    """

    code = "gateway_unreachable"

    def __init__(self, message: str, *, is_something_there: bool = False) -> None:
        super().__init__(message)
        self.is_something_there = is_something_there


class GatewayFailed(CaptchadError):
    """The gateway answered with a fault of its own, or with a code that this client does not know: `gateway_code`."""

    code = "gateway_failed"

    def __init__(self, message: str, gateway_code: str) -> None:
        super().__init__(message)
        self.gateway_code = gateway_code


class DeploymentFailed(CaptchadError):
    """A host can't be changed as asked, or is not run by systemd."""

    code = "deployment_failed"


class DependencyMissing(CaptchadError):
    """Something required is missing on this machine; the message says how to get it."""

    code = "dependency_missing"


class PictureRefused(CaptchadError):
    """The bytes are not a picture that captchad reads, or exceed its limits."""

    code = "picture_refused"


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """One wrong line of a folder's labels; `line` counts from 1, and is 0 where the file as a whole is meant."""

    line: int
    message: str


class LabelsRefused(CaptchadError):
    """The labels of a folder of pictures can't be used; every wrong line is named at once."""

    code = "labels_refused"

    def __init__(self, file_name: str, problems: tuple[LabelProblem, ...]) -> None:
        self.file_name = file_name
        self.problems = problems
        super().__init__("; ".join(self.lines()))

    def lines(self) -> list[str]:
        """Return each problem as a line: file, number of the line, what is wrong."""
        return [
            f"{self.file_name}:{one.line}: {one.message}" if one.line else f"{self.file_name}: {one.message}"
            for one in self.problems
        ]


class LabelUnreadable(CaptchadError):
    """A file in the label store is not a label, or not one that this release reads."""

    code = "label_unreadable"


class BackupRefused(CaptchadError):
    """A backup can't be made or restored: it is damaged or of a newer release, or the installation is not ready."""

    code = "backup_refused"
