"""The wire format: how requests, results and records are stored (version 1).

Fields of a record's hash: request (JSON), picture (bytes, until it ends), session (sealed, until it ends), status,
target, priority (stream number), key_id, created_ms, deadline_ms, queued_ms, started_ms, attempt_started_ms,
completed_ms, attempts, answers (counted before each is sent), retry_limit, worker_losses, bytes, ttl_seconds,
idempotency, replay_of, worker, result (JSON), returned_session (sealed), evidence (JSON: what was kept of it), error
(JSON); and while it is queued or running: stream, entry; while running: owner, token; its worker was lost and it is not
requeued yet: loss (what that costs it); after an attempt was settled: settled_token; released from a deferred queue and
not begun yet: released; always: deferral_rank (its place in a deferred queue); with a callback: callback (`HOST URL`).

While its status is `unconfirmed`, too few replicas have the end that is written: the record shows as processing,
without result and error, and `ending` names that end.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from typing import TypeVar

import orjson

from captchad.broker.decoding import DamagedRecord, NewerRecord, UnreadableRecord, build, parse_object
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Evidence, Fill, KeptEvidence, replace_typed_values
from captchad.domain.task import Priority, TaskError, TaskRecord, TaskRequest, TaskResult, TaskStatus

VERSION = 1
_LATER_HINTS = ("colour", "position")


def encode_request(request: TaskRequest) -> bytes:
    """Return a request as JSON, without picture, session, callback and what is typed, which are stored beside it.

    What not every task has is left out, so that a worker of an earlier release still reads the others.
    """
    hints = request.hints
    steps, fill = replace_typed_values(request.steps, request.fill, [""] * len(request.typed_values))
    wishes = {
        "key_id": request.key_id,
        "steps": steps,
        "fill": fill and _encode_fill(fill),
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
                **{name: value for name in _LATER_HINTS if (value := getattr(hints, name)) is not None},
            },
            "task_deadline_seconds": request.task_deadline_seconds,
            "metadata": request.metadata,
        }
    )


def _encode_fill(fill: Fill) -> dict[str, object]:
    # What few forms have is left out, too.
    plain = asdict(Fill(fill.input))
    return {name: value for name, value in asdict(fill).items() if name in _FIRST_FILL or value != plain[name]}


def decode_request(data: bytes | None, picture: bytes | None) -> TaskRequest:
    """Read a stored request back; NewerRecord or DamagedRecord where this release can't."""
    members = parse_object(data)
    version = members.pop("version", None)
    if not isinstance(version, int) or version < VERSION:
        raise DamagedRecord(f"the stored request has wire version {version!r}")
    if version > VERSION:
        raise NewerRecord(f"the stored request has wire version {version}; this release reads version {VERSION}")
    return replace(build(TaskRequest, members), picture=picture)


def read_request(
    data: bytes | None, picture: bytes | None, target: bytes | None, priority: bytes | None = None
) -> TaskRequest:
    """Return a stored request, or where it can't be read what is known of it besides: target, priority, key."""
    try:
        return decode_request(data, picture)
    except UnreadableRecord:
        name = _PRIORITIES.get(priority or b"", Priority.NORMAL)
        return TaskRequest((target or b"").decode(errors="replace"), priority=name, key_id=_find_key_id(data))


def _find_key_id(data: bytes | None) -> str | None:
    try:
        key_id = parse_object(data).get("key_id")
    except DamagedRecord:
        return None
    return key_id if isinstance(key_id, str) else None


def encode_result(result: TaskResult) -> bytes:
    """Return a result as JSON, without the page's session, which is stored beside it."""
    values = {name: getattr(result, name) for name in _RESULT_FIELDS}
    # What few results have is left out, so that an earlier release still reads the others.
    return orjson.dumps({name: value for name, value in values.items() if value is not None or name != "left_scope_to"})


def decode_result(data: bytes) -> TaskResult:
    """Read a stored result back; UnreadableRecord where this release can't."""
    return build(TaskResult, parse_object(data))


def encode_evidence(evidence: Evidence) -> bytes:
    """Return as JSON what is kept of some evidence; the pictures themselves are stored beside it."""
    kept = KeptEvidence(bool(evidence.picture), bool(evidence.screenshot), evidence.choice, evidence.judgement)
    # What little evidence has is left out, so that an earlier release still reads the other.
    left_out = {"judgement"} if kept.judgement is None else set[str]()
    return orjson.dumps({name: value for name, value in asdict(kept).items() if name not in left_out})


def encode_error(error: TaskError) -> bytes:
    """Return an error as JSON."""
    return orjson.dumps(error)


def encode_deferral(delay_ms: int, pace_ms: int, reason: str) -> bytes:
    """Return as JSON when the first deferred task is released, at what pace the others follow, and why they wait."""
    return orjson.dumps({"delay_ms": delay_ms, "pace_ms": pace_ms, "reason": reason})


def encode_delay(delay_ms: int) -> bytes:
    """Return as JSON when a task that was passed on is queued again."""
    return orjson.dumps({"delay_ms": delay_ms})


def decode_error(data: bytes) -> TaskError:
    """Read a stored error back; one that this release can't read is an error of its own."""
    try:
        return build(TaskError, parse_object(data))
    except UnreadableRecord as error:
        return TaskError(TaskErrorCode.UNREADABLE_RECORD, f"the task's error can't be read: {error}", False)


RETURNED_SESSION = "returned_session"
UNCONFIRMED = b"unconfirmed"
"""The stored status of a task whose end nobody may read yet."""
_FIRST_FILL = frozenset({"input", "submit", "success", "failure", "refresh"})
"""What forms have had from the first release on."""

_RESULT_FIELDS = tuple(one.name for one in fields(TaskResult) if one.name != "session")

RECORD_FIELDS = (
    "status",
    "request",
    "created_ms",
    "attempts",
    "answers",
    "started_ms",
    "completed_ms",
    "worker",
    "result",
    "error",
    "replay_of",
    "evidence",
    "target",
    "priority",
    "entry",
)
"""What is read of a record; the picture stays where it is, only a worker needs it, and sessions do."""

_PRIORITIES = {str(number).encode(): name for number, name in enumerate(Priority, start=2)}
T = TypeVar("T")


def decode_record(task_id: str, values: Sequence[bytes | None]) -> TaskRecord | None:
    """Read a record from its RECORD_FIELDS, None where it is gone; `error` of an open task is its last attempt's.

    What this release can't read is left out, so that one such record spoils no list.
    """
    found = dict(zip(RECORD_FIELDS, values, strict=True))
    status = found["status"]
    if status is None:
        return None
    if status == UNCONFIRMED:
        status = TaskStatus.PROCESSING.encode()
        found |= dict.fromkeys(("completed_ms", "result", "error", "evidence"))
    result, error, evidence, replay_of = found["result"], found["error"], found["evidence"], found["replay_of"]
    return TaskRecord(
        task_id=task_id,
        status=_read_status(status),
        request=read_request(found["request"], None, found["target"], found["priority"]),
        created_ms=_read_number(found["created_ms"]) or 0,
        attempts=_read_number(found["attempts"]) or 0,
        answers=_read_number(found["answers"]) or 0,
        started_ms=_read_number(found["started_ms"]),
        completed_ms=_read_number(found["completed_ms"]),
        worker=_read_text(found["worker"]),
        result=_read_or_none(decode_result, result) if result else None,
        error=decode_error(error) if error else None,
        replay_of=_read_text(replay_of),
        evidence=_read_or_none(_decode_evidence, evidence) if evidence else None,
    )


def is_waiting(values: Sequence[bytes | None]) -> bool:
    """Whether the RECORD_FIELDS are those of a pending task that is in no queue."""
    found = dict(zip(RECORD_FIELDS, values, strict=True))
    return found["status"] == b"pending" and not found["entry"]


def _decode_evidence(data: bytes) -> KeptEvidence:
    return build(KeptEvidence, parse_object(data))


def _read_or_none(decode: Callable[[bytes], T], data: bytes) -> T | None:
    try:
        return decode(data)
    except UnreadableRecord:
        return None


def _read_status(value: bytes) -> TaskStatus:
    # One that only a newer release knows can't be a final one of ours.
    known = {str(status).encode(): status for status in TaskStatus}
    return known.get(value, TaskStatus.PENDING)


def _read_number(value: bytes | None) -> int | None:
    try:
        return int(value) if value else None
    except ValueError:
        return None


def _read_text(value: bytes | None) -> str | None:
    return value.decode(errors="replace") if value else None
