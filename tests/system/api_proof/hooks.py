"""Hooks for schemathesis: what the gateway demands of a request beyond what a JSON schema can say.

Valid requests that schemathesis draws are made to keep these rules, so that a refusal of one is a fault; invalid ones
stay as they are. Nothing is waited for, since no worker is there to end a task.
"""

import json
import secrets
import zlib
from collections import deque
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

from captchad.domain.task_limits import WAIT_LIMIT_SECONDS
from tests.integration.gateway.requests_to_send import encode, make_png
from tests.system.api_proof.declared import ANSWER_TEXT, DECLARED_HOST, OPERATED_HOST, RECEIVING_HOST

WAIT_SECONDS = 0.05
_COOKIE_LENGTH = 100
_METADATA_LENGTH = 1000
_SELECTORS = ("#a", "img.captcha", "form > input[name='b']", "td:nth-child(2n+1), p:not(.c) ~ img", "*", "ä\\31 ")
_CONDITIONS = (*_SELECTORS, "url:**/welcome", "text:wrong code")
_UNDECLARED = "undeclared.example.net"
_URLS = (
    *(f"https://{DECLARED_HOST}/{page}" for page in "abcdefgh"),
    f"http://{DECLARED_HOST}/login?a=%20&b[]=ü#c",
    f"HTTPS://{DECLARED_HOST.upper()}:443/{'x' * 2000}",
    f"https://{_UNDECLARED}/",
)
_POOLS: dict[str, tuple[str, ...]] = {
    "url": _URLS,
    "image": tuple(encode(make_png(width, 20)) for width in (1, 60, 2000)),
    "callback_url": (f"https://{RECEIVING_HOST}/done",),
    "domain": (DECLARED_HOST,),
    "origin": (f"https://{DECLARED_HOST}",),
    "path": ("/",),
    "target": (*[DECLARED_HOST] * 8, _UNDECLARED),
    "charset": ("0", "0123456789", "abcXYZ", "中文"),
    "colour": ("red", "#c02f3b", "#FFFFFF"),
    **dict.fromkeys(
        ("selector", "input", "submit", "refresh", "click", "focus", "hover", "wait_for", "type"), _SELECTORS
    ),
    **dict.fromkeys(("success", "failure", "rejected"), _CONDITIONS),
}
"""Fields whose values must have a meaning, or be in the gateway's configuration."""
_KEY_LENGTH = 200
_cursors: deque[str] = deque(maxlen=100)
_task_ids: deque[str] = deque(maxlen=100)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Make a valid request keep the rules."""
    query = case.query or {}
    if isinstance(query.get("wait"), (int, float)) and WAIT_SECONDS < query["wait"] <= WAIT_LIMIT_SECONDS:
        query["wait"] = WAIT_SECONDS
    if case.path_parameters.get("host") == DECLARED_HOST:
        case.path_parameters["host"] = OPERATED_HOST
    if not case.meta.generation.mode.is_positive:
        return
    headers = case.headers or {}
    if "Idempotency-Key" in headers:
        # The same one with another body is refused.
        headers["Idempotency-Key"] = f"{headers['Idempotency-Key'][:_KEY_LENGTH]}{secrets.token_hex(8)}"
    if "cursor" in query:
        # Only an answer can say what is one.
        if _cursors:
            query["cursor"] = _cursors[-1]
        else:
            del query["cursor"]
    if isinstance(case.body, dict):
        case.body = _settle(case.body)
    if "task_id" in case.path_parameters and _task_ids and case.meta.phase.name is TestPhase.FUZZING:
        # One that is drawn names no task.
        case.path_parameters["task_id"] = _task_ids[zlib.crc32(repr(case.path_parameters).encode()) % len(_task_ids)]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember cursors and tasks."""
    if case.operation.path == "/submit_task" and response.status_code == 202:
        _task_ids.append(response.json()["task_id"])
    if case.operation.path == "/tasks" and response.status_code == 200:
        cursor = response.json()["next_cursor"]
        if cursor is not None:
            _cursors.append(cursor)


def _settle(value: Any) -> Any:
    if isinstance(value, list):
        return [_settle(one) for one in value]
    if not isinstance(value, dict):
        return value
    settled = {name: _settle_member(name, member) for name, member in value.items()}
    if "min_length" in settled and "max_length" in settled:
        settled["min_length"] = min(settled["min_length"], settled["max_length"])
    if "position" in settled and _is_too_much(settled):
        del settled["position"]
    settled.pop("partitionKey", None)
    if "session" in settled and "url" in settled:
        # Of a state, something must be for the page.
        settled["url"] = _URLS[0]
    if settled.get("right") is True and "text" in settled:
        # It may only correct the case of letters.
        settled["text"] = ANSWER_TEXT.lower()
    if settled.get("same_site") == "None":
        settled["secure"] = True
    return settled


def _settle_member(name: str, value: Any) -> Any:
    if name == "metadata":
        return value if _is_storable(value) else {}
    if name == "headers":
        # No two of these are the same in another case, and none is refused.
        return {f"X-Fuzz-{index}": member for index, member in enumerate(value.values())}
    if name == "local_storage":
        return value
    if name in {"name", "value"} and isinstance(value, str):
        # Name and value of a cookie have a limit together.
        return value[:_COOKIE_LENGTH]
    pool = _POOLS.get(name)
    if pool is not None and isinstance(value, str):
        return pool[zlib.crc32(value.encode(errors="replace")) % len(pool)]
    return _settle(value)


def _is_too_much(hints: dict[str, Any]) -> bool:
    count = int(hints["position"].partition(":")[2])
    return hints.get("kind") == "math" or count > hints.get("max_length", 64)


def _is_storable(metadata: Any) -> bool:
    text = json.dumps(metadata)
    return (
        len(text) <= _METADATA_LENGTH
        and not any(digits in text for digits in ("e+", "0" * 15))
        and _are_small(metadata)
    )


def _are_small(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return all(map(_are_small, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or abs(value) < 2**63
