"""The one place where failures become answers: RFC 9457 problem details with a stable `code`."""

import math
from http import HTTPStatus

import orjson
from aiohttp import web

from captchad.domain.errors import (
    BrokerUnavailable,
    CaptchadError,
    InvalidRequest,
    Overloaded,
    QueueFull,
    RateLimited,
)

PROBLEM_TYPE = "application/problem+json"
VIOLATIONS_LIMIT = 50
POINTER_LIMIT = 256
BROKER_RETRY_SECONDS = 2
FULL_RETRY_SECONDS = 5

STATUSES: dict[str, HTTPStatus] = {
    "invalid_request": HTTPStatus.BAD_REQUEST,
    "unsupported_charset": HTTPStatus.BAD_REQUEST,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "target_not_allowed": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "task_not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "already_finished": HTTPStatus.CONFLICT,
    "no_answer": HTTPStatus.CONFLICT,
    "request_timeout": HTTPStatus.REQUEST_TIMEOUT,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "url_too_long": HTTPStatus.REQUEST_URI_TOO_LONG,
    "unsupported_media_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "idempotency_conflict": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "quota_exceeded": HTTPStatus.TOO_MANY_REQUESTS,
    "headers_too_large": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "not_implemented": HTTPStatus.NOT_IMPLEMENTED,
    "overloaded": HTTPStatus.SERVICE_UNAVAILABLE,
    "queue_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "broker_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Every code the HTTP interface answers with, and its status."""

TITLES: dict[str, str] = {
    "invalid_request": "The request is not valid",
    "unsupported_charset": "No engine reads these symbols",
    "unauthorized": "A valid API key is needed",
    "forbidden": "This is not allowed",
    "target_not_allowed": "The target is not declared",
    "not_found": "There is no such route",
    "task_not_found": "There is no such task",
    "method_not_allowed": "The route does not answer this method",
    "already_finished": "The task has already ended",
    "no_answer": "The task has no answer",
    "request_timeout": "The request did not come in time",
    "body_too_large": "The body is too large",
    "url_too_long": "The URL is too long",
    "unsupported_media_type": "The body must be JSON",
    "idempotency_conflict": "The Idempotency-Key was used with another body",
    "rate_limited": "Too many requests",
    "quota_exceeded": "The key's tasks of this day are used up",
    "headers_too_large": "The headers are too large",
    "internal_error": "Something failed inside captchad",
    "not_implemented": "This release can't do that yet",
    "overloaded": "Too much is under way",
    "queue_full": "The queue is full",
    "broker_unavailable": "The broker can't do this now",
}

_CODES_OF_PLAIN_STATUSES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
}


def is_answerable(error: CaptchadError) -> bool:
    """Whether a failure is meant for the caller; all others are answered as internal_error."""
    return error.code in STATUSES and error.code != "internal_error"


def answer_failure(error: CaptchadError, request_id: str) -> web.Response:
    """Turn a failure that `is_answerable` into its problem details."""
    members: dict[str, object] = {}
    headers: dict[str, str] = {}
    if isinstance(error, InvalidRequest) and error.violations:
        members["violations"] = [
            {"pointer": violation.pointer[:POINTER_LIMIT], "message": violation.message}
            for violation in error.violations[:VIOLATIONS_LIMIT]
        ]
    elif isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    elif isinstance(error, (QueueFull, Overloaded)):
        headers["Retry-After"] = str(FULL_RETRY_SECONDS)
    elif isinstance(error, BrokerUnavailable):
        headers["Retry-After"] = str(BROKER_RETRY_SECONDS)
        if error.task_id is not None:
            members["task_id"] = error.task_id
    elif error.code == "unauthorized":
        headers["WWW-Authenticate"] = 'Bearer realm="captchad"'
    return answer_problem(error.code, error.message, request_id, members, headers)


def answer_plain_error(error: web.HTTPException, request_id: str) -> web.Response:
    """Turn one of aiohttp's own refusals (no such route, wrong method) into problem details."""
    status = HTTPStatus(error.status)
    code = _CODES_OF_PLAIN_STATUSES.get(status, "invalid_request")
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return answer_problem(code, STATUSES[code].description or status.phrase, request_id, {}, headers)


def answer_problem(
    code: str,
    detail: str,
    request_id: str,
    members: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Make problem details; `members` are those that only some codes have."""
    body = describe_problem(code, detail, request_id) | (members or {})
    return web.Response(
        body=orjson.dumps(body), status=STATUSES[code].value, headers=headers, content_type=PROBLEM_TYPE
    )


def describe_problem(code: str, detail: str, request_id: str) -> dict[str, object]:
    """Return the members that every problem has."""
    return {
        "type": f"urn:captchad:problem:{code}",
        "title": TITLES[code],
        "status": STATUSES[code].value,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
