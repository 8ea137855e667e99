"""What the routes about tasks read beside a body: the query string and the Idempotency-Key."""

import re

from aiohttp import web

from captchad.broker.task_pages import TaskQuery
from captchad.domain.errors import InvalidRequest, Violation
from captchad.domain.task import TaskStatus
from captchad.domain.task_limits import HOST_LENGTH_LIMIT, LONGEST_WAIT_SECONDS, WAIT_LIMIT_SECONDS
from captchad.web.routes import QueryParameter

PAGE_DEFAULT, PAGE_LIMIT = 50, 200
IDEMPOTENCY_KEY_LIMIT = 255
CURSOR_LENGTH_LIMIT = 256
_WAIT = re.compile(r"[0-9]{1,2}(\.[0-9]{0,17})?|[0-9](\.[0-9]{1,17})?e-[0-9]{1,3}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,3}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")

WAIT_PARAMETER = QueryParameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": WAIT_LIMIT_SECONDS, "default": 0, "examples": [30]},
    f"seconds to wait for the end of the task; the answer comes after {LONGEST_WAIT_SECONDS} at the latest",
)
LIST_PARAMETERS = (
    QueryParameter(
        "status",
        {"type": "string", "enum": [str(status) for status in TaskStatus], "examples": ["failed"]},
        "only tasks in this state; without it those in any",
    ),
    QueryParameter(
        "target",
        {"type": "string", "minLength": 1, "maxLength": HOST_LENGTH_LIMIT, "examples": ["captcha.example.com"]},
        "only tasks of this declared host; without it those of all",
    ),
    QueryParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT, "default": PAGE_DEFAULT, "examples": [20]},
        "most tasks in a page",
    ),
    QueryParameter(
        "cursor",
        {"type": "string", "minLength": 1, "maxLength": CURSOR_LENGTH_LIMIT, "format": "cursor"},
        "next_cursor of the page before, exactly as it was returned; a page with fewer tasks than asked for, or none, "
        "may be followed by others; without it the first page",
    ),
)


def read_idempotency_key(request: web.Request) -> str | None:
    """Return the Idempotency-Key header, None where there is none; InvalidRequest where it is no proper one."""
    values = request.headers.getall("Idempotency-Key", [])
    if not values:
        return None
    if len(values) > 1 or not _IDEMPOTENCY_KEY.fullmatch(values[0]):
        raise InvalidRequest(
            f"Idempotency-Key must be one value of 1 to {IDEMPOTENCY_KEY_LIMIT} visible ASCII characters"
        )
    return values[0]


def read_wait(request: web.Request) -> float:
    """Return the seconds a status call may wait."""
    text = request.query.get("wait", "0")
    if not _WAIT.fullmatch(text) or float(text) > WAIT_LIMIT_SECONDS:
        raise _refuse_parameter("wait", f"must be a number of seconds from 0 to {WAIT_LIMIT_SECONDS}")
    return float(text)


def read_task_query(request: web.Request) -> TaskQuery:
    """Return what to list."""
    query = request.query
    status, target, cursor = query.get("status"), query.get("target"), query.get("cursor")
    limit = query.get("limit", str(PAGE_DEFAULT))
    if status is not None and status not in set(TaskStatus):
        raise _refuse_parameter("status", f"must be one of {', '.join(TaskStatus)}")
    if target is not None and not 0 < len(target) <= HOST_LENGTH_LIMIT:
        raise _refuse_parameter("target", f"must be a host of 1 to {HOST_LENGTH_LIMIT} characters")
    if not _COUNT.fullmatch(limit) or not 1 <= int(limit) <= PAGE_LIMIT:
        raise _refuse_parameter("limit", f"must be a whole number from 1 to {PAGE_LIMIT}")
    if cursor is not None and not 0 < len(cursor) <= CURSOR_LENGTH_LIMIT:
        raise _refuse_parameter("cursor", "must be a next_cursor exactly as it was returned")
    return TaskQuery(TaskStatus(status) if status else None, target, int(limit), cursor)


def _refuse_parameter(name: str, message: str) -> InvalidRequest:
    return InvalidRequest("the query string is not valid", (Violation(f"?{name}", message),))
