"""Maps the gateway's problem+json answers to domain errors."""

from http import HTTPStatus
from typing import Any

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
    TaskNotFound,
    Unauthorized,
    UnsupportedCharset,
    UnsupportedMediaType,
    Violation,
)

DEFAULT_RETRY_AFTER_SECONDS = 1.0
SHORTEST_PAUSE_SECONDS = 0.1
_PLAIN: dict[str, type[CaptchadError]] = {
    error.code: error
    for error in (
        AlreadyFinished,
        AnswerMissing,
        BodyTooLarge,
        FeatureNotBuilt,
        Forbidden,
        IdempotencyConflict,
        Overloaded,
        QueueFull,
        RequestTimedOut,
        TargetNotAllowed,
        TaskNotFound,
        Unauthorized,
        UnsupportedMediaType,
    )
}
_WRONG: dict[str, type[InvalidRequest]] = {
    InvalidRequest.code: InvalidRequest,
    UnsupportedCharset.code: UnsupportedCharset,
    "url_too_long": InvalidRequest,
    "headers_too_large": InvalidRequest,
}


def read_problem(status: int, body: Any, retry_after: str | None) -> CaptchadError:
    """Return the error of an unsuccessful answer; `retry_after` is that header's text."""
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        message = f"HTTP {status} without a captchad error; is this really a captchad gateway?"
        return GatewayUnreachable(message, is_something_there=True)
    code = body["code"]
    message = str(body.get("detail") or body.get("title") or code)
    wrong = _WRONG.get(code)
    if wrong is not None:
        return wrong(message, tuple(_read_violations(body)))
    if code == RateLimited.code:
        return RateLimited(message, _read_seconds(retry_after))
    if code == BrokerUnavailable.code:
        task_id = body.get("task_id")
        return BrokerUnavailable(message, task_id if isinstance(task_id, str) else None)
    # A newer gateway may have codes that this client does not know.
    known = _PLAIN.get(code)
    if known is not None:
        return known(message)
    # The gateway's log has the cause under this id.
    request_id = body.get("request_id")
    return GatewayFailed(f"{message} (request {request_id})" if request_id else message, code)


def read_pause_seconds(status: int, retry_after: str | None) -> float | None:
    """Return how long to wait before a refused call is made again; None for an answer that would stay the same."""
    is_limit = status == HTTPStatus.TOO_MANY_REQUESTS
    return max(SHORTEST_PAUSE_SECONDS, _read_seconds(retry_after)) if is_limit or retry_after is not None else None


def _read_violations(body: dict[str, Any]) -> list[Violation]:
    violations = body.get("violations")
    return [
        Violation(str(one.get("pointer", "")), str(one.get("message", "")))
        for one in (violations if isinstance(violations, list) else ())
        if isinstance(one, dict)
    ]


def _read_seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or ""))
    except ValueError:
        return DEFAULT_RETRY_AFTER_SECONDS
