"""The wire format: how requests, results and records are stored (version 1).

Fields of a record's hash: request (JSON), picture (bytes, until it ends), session (sealed, until it ends), status,
target, priority (stream number), key_id, created_ms, deadline_ms, queued_ms, started_ms, attempt_started_ms,
completed_ms, attempts, retry_limit, worker_losses, bytes, ttl_seconds, idempotency, replay_of, worker, result (JSON),
returned_session (sealed), evidence (JSON: what was kept of it), error (JSON); and while it is queued or
running: stream, entry; while running: owner, token; after an attempt was settled: settled_token; released from a
deferred queue and not begun yet: released; always: deferral_rank (its place in a deferred queue).

While its status is `unconfirmed`, too few replicas have the end that is written: the record shows as processing,
without result and error, and `ending` names that end.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import orjson

from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Evidence, Fill, KeptEvidence
from captchad.domain.recognition import CaptchaKind, Character, Hints
from captchad.domain.task import Priority, TaskError, TaskRecord, TaskRequest, TaskResult, TaskStatus

VERSION = 1


def encode_request(request: TaskRequest) -> bytes:
    """Return a request as JSON, without its picture and its session, which are stored beside it.

    What not every task has is left out, so that a worker of an earlier release still reads the others.
    """
    hints = request.hints
    wishes = {
        "key_id": request.key_id,
        "fill": request.fill,
        "return_session": request.return_session,
        "evidence": request.evidence,
    }
    return orjson.dumps(
        {
            **{name: value for name, value in wishes.items() if value},
            "version": VERSION,
            "target": request.target,
            "url": request.url,
            "timeout_seconds": request.timeout_seconds,
            "retry_count": request.retry_count,
            "priority": request.priority,
            "selector": request.selector,
            "hints": {
                "charset": hints.charset,
                "min_length": hints.min_length,
                "max_length": hints.max_length,
                "case_sensitive": hints.case_sensitive,
                "kind": hints.kind,
            },
            "task_deadline_seconds": request.task_deadline_seconds,
            "metadata": request.metadata,
        }
    )


def decode_request(data: bytes, picture: bytes | None) -> TaskRequest:
    """Read a stored request back; ValueError for a version this release does not know."""
    members: dict[str, Any] = orjson.loads(data)
    version = members.pop("version")
    if version != VERSION:
        raise ValueError(f"the stored request has wire version {version}; this release reads version {VERSION}")
    hints = members.pop("hints")
    kind = hints.pop("kind")
    priority = Priority(members.pop("priority"))
    fill = members.pop("fill", None)
    return TaskRequest(
        **members,
        priority=priority,
        picture=picture,
        hints=Hints(**hints, kind=kind and CaptchaKind(kind)),
        fill=fill and Fill(**fill),
    )


def encode_result(result: TaskResult) -> bytes:
    """Return a result as JSON, without the page's session, which is stored beside it."""
    return orjson.dumps({name: getattr(result, name) for name in _RESULT_FIELDS})


def decode_result(data: bytes) -> TaskResult:
    """Read a stored result back."""
    members: dict[str, Any] = orjson.loads(data)
    kind = CaptchaKind(members.pop("kind"))
    characters = tuple(Character(**character) for character in members.pop("characters"))
    return TaskResult(**members, kind=kind, characters=characters)


def encode_evidence(evidence: Evidence) -> bytes:
    """Return as JSON what is kept of some evidence; the pictures themselves are stored beside it."""
    return orjson.dumps(KeptEvidence(bool(evidence.picture), bool(evidence.screenshot), evidence.choice))


def encode_error(error: TaskError) -> bytes:
    """Return an error as JSON."""
    return orjson.dumps(error)


def encode_deferral(delay_ms: int, pace_ms: int) -> bytes:
    """Return as JSON when the first deferred task is released, and at what pace the others follow."""
    return orjson.dumps({"delay_ms": delay_ms, "pace_ms": pace_ms})


def decode_error(data: bytes) -> TaskError:
    """Read a stored error back."""
    members: dict[str, Any] = orjson.loads(data)
    return TaskError(TaskErrorCode(members["code"]), members["message"], members["is_retryable"])


RETURNED_SESSION = "returned_session"
UNCONFIRMED = b"unconfirmed"
"""The stored status of a task whose end nobody may read yet."""
_RESULT_FIELDS = tuple(one.name for one in fields(TaskResult) if one.name != "session")

RECORD_FIELDS = (
    "status",
    "request",
    "created_ms",
    "attempts",
    "started_ms",
    "completed_ms",
    "worker",
    "result",
    "error",
    "replay_of",
    "evidence",
)
"""What is read of a record; the picture stays where it is, only a worker needs it, and sessions do."""


def decode_record(task_id: str, values: Sequence[bytes | None]) -> TaskRecord | None:
    """Read a record from its RECORD_FIELDS, None where it is gone; `error` of an open task is its last attempt's."""
    status, request, created_ms, attempts, started_ms, completed_ms, worker, result, error, replay_of, evidence = values
    if status is None or request is None or created_ms is None:
        return None
    if status == UNCONFIRMED:
        status, completed_ms, result, error, evidence = TaskStatus.PROCESSING.encode(), None, None, None, None
    return TaskRecord(
        task_id=task_id,
        status=TaskStatus(status.decode()),
        request=decode_request(request, None),
        created_ms=int(created_ms),
        attempts=int(attempts or 0),
        started_ms=int(started_ms) if started_ms else None,
        completed_ms=int(completed_ms) if completed_ms else None,
        worker=worker.decode() if worker else None,
        result=decode_result(result) if result else None,
        error=decode_error(error) if error else None,
        replay_of=replay_of.decode() if replay_of else None,
        evidence=KeptEvidence(**orjson.loads(evidence)) if evidence else None,
    )
