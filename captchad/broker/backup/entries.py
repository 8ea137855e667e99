"""What a backup has of Redis, entry by entry; each becomes a row of bytes in the archive, and is read back from one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Row = tuple[bytes, ...]


class Room(StrEnum):
    """What is listed in a zset of a partition and lies in hashes beside it."""

    TASK = "task"
    DEAD = "dead"
    EVIDENCE = "evidence"
    ANSWERS = "answers"
    CALLBACKS = "callbacks"
    DEAD_CALLBACKS = "dead_callbacks"


class PlainType(StrEnum):
    """Types of the keys that are kept as they are."""

    STRING = "string"
    HASH = "hash"
    SET = "set"
    ZSET = "zset"


@dataclass(frozen=True, slots=True)
class Head:
    """A partition's counters, as they were at `now_ms` (Redis TIME)."""

    partition: int
    now_ms: int
    counters: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Listed:
    """One task, dead letter, picture or callback; `expires_ms` (Redis TIME) is None for one that doesn't expire.

    `place` is where a task waits, as the script backup_page says it; `body_digest` belongs to its Idempotency-Key.
    """

    partition: int
    room: Room
    member: str
    score: bytes
    expires_ms: int | None
    fields: dict[bytes, bytes]
    place: Row = ()
    body_digest: str = ""


@dataclass(frozen=True, slots=True)
class StreamedLabel:
    """A label on its way to the learner."""

    partition: int
    fields: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the audit log."""

    fields: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class PlainKey:
    """A key as it is: its members, those of a hash or zset in pairs."""

    name: str
    type: PlainType
    expires_ms: int | None
    values: Row = field(repr=False)


Entry = Head | Listed | StreamedLabel | AuditRow | PlainKey
_HEAD, _LABEL, _AUDIT, _KEY = b"head", b"label", b"audit", b"key"
KINDS = (_HEAD, *(room.encode() for room in Room), _LABEL, _AUDIT, _KEY)
"""The first members of rows that are entries."""


def encode_entry(entry: Entry) -> Row:
    """Return an entry as a row of bytes; the first says what it is."""
    match entry:
        case Head():
            return (_HEAD, b"%d" % entry.partition, b"%d" % entry.now_ms, *_flatten(entry.counters))
        case Listed():
            place = (b"%d" % len(entry.place), *entry.place)
            names = (entry.member.encode(), entry.score, _encode_time(entry.expires_ms), entry.body_digest.encode())
            return (entry.room.encode(), b"%d" % entry.partition, *names, *place, *_flatten(entry.fields))
        case StreamedLabel():
            return (_LABEL, b"%d" % entry.partition, *_flatten(entry.fields))
        case AuditRow():
            return (_AUDIT, *_flatten(entry.fields))
        case PlainKey():
            return (_KEY, entry.name.encode(), entry.type.encode(), _encode_time(entry.expires_ms), *entry.values)


def decode_entry(row: Row) -> Entry:
    """Read an entry back; ValueError where the row is none."""
    kind, rest = row[0], row[1:]
    if kind == _KEY:
        name, type_name, expires, *values = rest
        return PlainKey(name.decode(), PlainType(type_name.decode()), _decode_time(expires), tuple(values))
    if kind == _AUDIT:
        return AuditRow(pair_up(rest))
    partition, rest = int(rest[0]), rest[1:]
    if kind == _HEAD:
        return Head(partition, int(rest[0]), pair_up(rest[1:]))
    if kind == _LABEL:
        return StreamedLabel(partition, pair_up(rest))
    member, score, expires, body_digest, count, *more = rest
    place, fields = tuple(more[: int(count)]), pair_up(more[int(count) :])
    room = Room(kind.decode())
    return Listed(partition, room, member.decode(), score, _decode_time(expires), fields, place, body_digest.decode())


def pair_up(values: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return a flat list of names and values as a dictionary."""
    return dict(zip(values[::2], values[1::2], strict=True))


def _flatten(fields: dict[bytes, bytes]) -> list[bytes]:
    return [part for pair in fields.items() for part in pair]


def _encode_time(time_ms: int | None) -> bytes:
    return b"" if time_ms is None else b"%d" % time_ms


def _decode_time(text: bytes) -> int | None:
    return int(text) if text else None
