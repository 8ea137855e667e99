"""Decides where a task of a backup goes: from its record and its place alone, without looking at Redis."""

from dataclasses import dataclass, field, replace

from captchad.broker.backup.entries import Listed
from captchad.broker.redis_keys import RECOVERED
from captchad.broker.tasks import STREAM_NUMBERS
from captchad.domain.task import Priority

_PENDING, _PROCESSING, _UNCONFIRMED = b"pending", b"processing", b"unconfirmed"
_RUNNING_FIELDS = (b"owner", b"token", b"loss")
_QUEUE_FIELDS = (b"stream", b"entry")
PLACE_LENGTH = 6
_DELAYED, _DEFERRED = b"delayed", b"deferred"


@dataclass(frozen=True, slots=True)
class PlacedTask:
    """A task as it is put back: its stream (0: none), its score in `open` (empty: it has ended), and where it waits.

    `waiting` is due, deferred queue, rank, next release, pace and reason, each empty where it does not apply.
    """

    task: Listed
    stream: int = 0
    open_score: bytes = b""
    waiting: tuple[bytes, ...] = field(default=(b"",) * PLACE_LENGTH)


def place_task(task: Listed) -> PlacedTask:
    """Return a task as it is put back.

    One that was running is queued before all others, at the same attempt: as if its worker had handed it back. One
    whose end was not confirmed yet is left to the scheduler, as after a crash.
    """
    status, deadline = task.fields.get(b"status", b""), task.fields.get(b"deadline_ms") or b"0"
    if status == _UNCONFIRMED:
        return PlacedTask(_without(task, *_RUNNING_FIELDS, *_QUEUE_FIELDS), 0, b"+inf")
    if status == _PROCESSING:
        return PlacedTask(_hand_back(task), STREAM_NUMBERS[RECOVERED], deadline)
    bare = _without(task, *_QUEUE_FIELDS)
    if status != _PENDING:
        return PlacedTask(bare)
    kind = task.place[0] if task.place else b""
    if kind == _DELAYED:
        return PlacedTask(bare, 0, deadline, (task.place[1], *[b""] * (PLACE_LENGTH - 1)))
    if kind == _DEFERRED:
        return PlacedTask(bare, 0, deadline, (b"", *task.place[1:]))
    return PlacedTask(bare, _find_stream(task), deadline)


def _hand_back(task: Listed) -> Listed:
    bare = _without(task, *_RUNNING_FIELDS, *_QUEUE_FIELDS)
    attempts = max(0, _read_number(task.fields.get(b"attempts")) - 1)
    return replace(bare, fields=bare.fields | {b"status": _PENDING, b"attempts": b"%d" % attempts})


def _find_stream(task: Listed) -> int:
    for name in (b"stream", b"priority"):
        number = _read_number(task.fields.get(name))
        if number in STREAM_NUMBERS.values():
            return number
    return STREAM_NUMBERS[Priority.NORMAL]


def _without(task: Listed, *names: bytes) -> Listed:
    return replace(task, fields={name: value for name, value in task.fields.items() if name not in names})


def _read_number(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() else 0
