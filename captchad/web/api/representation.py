"""From values to the JSON of the contract: task records, results, times."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from captchad.domain.page import KeptEvidence, SessionState
from captchad.domain.ports import show_host
from captchad.domain.target import find_origin, parse_origin
from captchad.domain.task import TaskRecord, TaskResult, TaskStatus
from captchad.intake.intake import Submission

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECIMALS = 4
_NO_EXPIRY = -1
# What browsers take a cookie for that says nothing of it.
_USUAL_SAME_SITE = "Lax"


def represent_time(milliseconds: int | None) -> str | None:
    """Return a time (ms since 1970) as UTC ISO 8601 with milliseconds, ending in Z."""
    if milliseconds is None:
        return None
    return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime(
        "%Y-%m-%dT%H:%M:%S."
    ) + f"{milliseconds % 1000:03d}Z"


def represent_task(record: TaskRecord) -> dict[str, Any]:
    """Return the body of task_status."""
    body: dict[str, Any] = {
        "task_id": record.task_id,
        "status": str(record.status),
        "result": None,
        "attempts": record.attempts,
        "answers": record.answers,
        "created_at": represent_time(record.created_ms),
        "started_at": represent_time(record.started_ms),
        "completed_at": represent_time(record.completed_ms),
        "worker": record.worker,
        "metadata": record.request.metadata,
    }
    if record.result is not None and record.status is TaskStatus.COMPLETED:
        body["result"] = represent_result(record.result)
        if record.result.session is not None:
            body["result"]["session"] = represent_session(record.result.session, record.request.url)
        if record.evidence is not None:
            body["result"]["evidence"] = represent_evidence(record.task_id, record.evidence)
    if record.waiting_for is not None:
        until = represent_time(record.waiting_for.until_ms)
        body["waiting_for"] = {"reason": str(record.waiting_for.reason), "until": until}
    if record.error is not None and record.status is not TaskStatus.COMPLETED:
        body["error"] = {
            "code": str(record.error.code),
            "message": record.error.message,
            "retryable": record.error.is_retryable,
        }
    if record.replay_of is not None:
        body["replay_of"] = record.replay_of
    return body


def represent_submission(submission: Submission) -> dict[str, Any]:
    """Return a stored task, and what of its session its page is not given."""
    body: dict[str, Any] = {
        "task_id": submission.task_id,
        "status": str(submission.status),
        "estimated_wait_time": submission.estimated_wait_seconds,
    }
    left_out = submission.left_out
    if left_out.cookies or left_out.origins:
        body["session_left_out"] = {"cookies": left_out.cookies, "origins": left_out.origins}
    return body


def represent_listed_task(record: TaskRecord) -> dict[str, Any]:
    """Return one entry of a list of tasks: its status body, and what tells it from the others."""
    return {**represent_task(record), "target": record.request.target, "priority": str(record.request.priority)}


def represent_result(result: TaskResult) -> dict[str, Any]:
    """Return the `result` of a completed task."""
    body: dict[str, Any] = {
        "success": True,
        "captcha_text": result.captcha_text,
        "confidence": round(result.confidence, DECIMALS),
        "characters": [
            {"text": character.text, "confidence": round(character.confidence, DECIMALS)}
            for character in result.characters
        ],
        "verified": result.verified,
        "kind": str(result.kind),
        "recogniser": result.recogniser,
        "timings_ms": result.timings_ms,
    }
    if result.left_scope_to is not None:
        body["left_scope_to"] = result.left_scope_to
    if result.expression is not None:
        body["expression"] = result.expression
    return body


def represent_session(session: SessionState, url: str | None) -> dict[str, Any]:
    """Return a session as `session` of a submit takes it, for the page at `url`: what isn't set is left out."""
    cookies = [
        {name: value for name, value in asdict(cookie).items() if value is not None} for cookie in session.cookies
    ]
    body = {"cookies": cookies, "headers": session.headers, "local_storage": session.local_storage}
    return body if url is None else {**body, "storage_state": _represent_storage_state(session, url)}


def _represent_storage_state(session: SessionState, url: str) -> dict[str, Any]:
    """Return a session in Playwright's own shape, of which nothing is left out; no site's storage may be empty."""
    host = show_host(parse_origin(url).host)
    cookies = [
        {
            "name": cookie.name,
            "value": cookie.value,
            # With a dot, subdomains are sent it too.
            "domain": host if cookie.domain is None else f".{cookie.domain}",
            "path": cookie.path,
            "expires": _NO_EXPIRY if cookie.expires is None else cookie.expires,
            "httpOnly": cookie.http_only,
            "secure": cookie.secure,
            "sameSite": cookie.same_site or _USUAL_SAME_SITE,
        }
        for cookie in session.cookies
    ]
    items = [{"name": name, "value": value} for name, value in session.local_storage.items()]
    origins = [{"origin": find_origin(url), "localStorage": items}] if items else []
    return {"cookies": cookies, "origins": origins}


def represent_evidence(task_id: str, evidence: KeptEvidence) -> dict[str, Any]:
    """Return where the pictures are, as paths of the gateway; null for one that there isn't."""
    return {
        "image_url": f"/task_evidence/{task_id}/image" if evidence.has_picture else None,
        "screenshot_url": f"/task_evidence/{task_id}/screenshot" if evidence.has_screenshot else None,
        "choice": evidence.choice,
        "judgement": evidence.judgement,
    }
