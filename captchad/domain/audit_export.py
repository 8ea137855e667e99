"""Exported entries of the audit log: a line of JSON each, which can be checked without Redis."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from captchad.domain.audit import AuditEntry, Chain, Fault, encode_members, link_entry
from captchad.domain.errors import CaptchadError

MS = 1000
LINE_LIMIT_BYTES = 4_194_304
"""Far more than the act of the largest batch."""


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """An entry, and the hash of the one before it."""

    entry: AuditEntry
    previous: str


def write_line(entry: AuditEntry, previous: str) -> bytes:
    """Return an entry's line; `at` is for people, and follows from `at_ms`."""
    try:
        act: Any = json.loads(entry.act)
        is_ours = isinstance(act, dict) and encode_members(act) == entry.act
    except (ValueError, TypeError):
        is_ours = False
    members = {
        "number": entry.sequence,
        "at": datetime.fromtimestamp(entry.at_ms / MS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "at_ms": entry.at_ms,
        # What captchad has not written is kept as it is, so that its hash stays the same.
        "act": act if is_ours else entry.act.decode(errors="replace"),
        "previous": previous,
        "link": entry.link,
    }
    return json.dumps(members).encode() + b"\n"


def read_export(file: IO[bytes]) -> Iterator[ExportedEntry]:
    """Read an export line by line; CaptchadError names the first line that is none."""
    number = 0
    while line := file.readline(LINE_LIMIT_BYTES):
        number += 1
        yield _read_line(number, line)


def compare_with_export(
    exported: Iterable[ExportedEntry],
    entries: Sequence[AuditEntry],
    chain: Chain | None,
    kept_since_ms: int | None = None,
) -> Iterator[Fault]:
    """Check an export by itself, and that what is in it still stands; what was due to be trimmed since is no fault.

    What was written after `kept_since_ms` was not due; None where any entry may have been.
    """
    stored = {entry.sequence: entry for entry in entries}
    anchor, head = (chain.anchor.sequence, chain.head.sequence) if chain is not None else (0, 0)
    last: ExportedEntry | None = None
    for one in exported:
        number = one.entry.sequence
        is_linked = last is None or (one.previous == last.entry.link and number == last.entry.sequence + 1)
        if not is_linked or one.entry.link != link_entry(one.previous, number, one.entry.at_ms, one.entry.act):
            yield Fault("changed", number, f"line {number} of the export, or the one before it, was changed")
        elif number > head:
            yield Fault("removed", number, f"entry {number} of the export is behind the end of the log")
        elif number <= anchor and kept_since_ms is not None and one.entry.at_ms > kept_since_ms:
            message = f"entry {number} of the export is gone, though security.audit_log has it kept still"
            yield Fault("removed", number, message)
        elif number > anchor and stored.get(number) != one.entry:
            yield Fault("changed", number, f"entry {number} is not as it was exported")
        last = one


def _read_line(number: int, line: bytes) -> ExportedEntry:
    try:
        members = json.loads(line)
        act = members["act"]
        encoded = act.encode() if isinstance(act, str) else encode_members(act)
        entry = AuditEntry(int(members["number"]), int(members["at_ms"]), encoded, str(members["link"]))
        return ExportedEntry(entry, str(members["previous"]))
    except (KeyError, TypeError, ValueError):
        raise CaptchadError(f"line {number} is no entry of an exported audit log") from None
