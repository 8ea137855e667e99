"""The audit log as values: who did what, and the chain of hashes that shows whether entries were tampered with."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

DONE = "done"
"""The outcome of what was done; any other is the code of the error that refused it."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did or tried: by API key and address, or as a user or process (`actor`).

    `object` says to what: ids, hosts, hashes and numbers. Nothing that a caller keeps secret may be in it.
    """

    action: str
    outcome: str = DONE
    key_id: str | None = None
    actor: str | None = None
    address: str | None = None
    object: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the act as the JSON that is stored and hashed; the same act is always the same bytes."""
        members = {
            "action": self.action,
            "outcome": self.outcome,
            "key_id": self.key_id,
            "actor": self.actor,
            "address": self.address,
            "object": dict(self.object) or None,
        }
        return encode_members({name: value for name, value in members.items() if value is not None})


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry: its number (from 1, without gaps), when it was written (Redis TIME), the act's JSON, and its hash.

    With `has_more` there is something beside those in Redis, which no hash covers.
    """

    sequence: int
    at_ms: int
    act: bytes
    link: str
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain: an entry's number and hash; 0 is before the first."""

    sequence: int
    link: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What is known of the chain beside its entries: the last that was trimmed, and the last that was written.

    `broken_at` is the first entry before which one was missing when it was trimmed.
    """

    anchor: Mark
    head: Mark
    broken_at: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that only tampering leaves behind; `kind` is changed, removed, reordered or added."""

    kind: str
    sequence: int
    message: str


def encode_members(members: Mapping[str, Any]) -> bytes:
    """Return JSON in ASCII whose members are in order."""
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def digest_act(act: bytes) -> str:
    """Return the SHA-256 (hex) of an act's JSON."""
    return hashlib.sha256(act).hexdigest()


def link_entry(previous: str, sequence: int, at_ms: int, act: bytes) -> str:
    """Return the hash of an entry, as the script audit_append makes it."""
    # Scripts in Redis have no other hash. Of what it covers nobody can choose the bytes, for the act is in it as a
    # SHA-256; so the known ways to make two texts of one SHA-1 are of no use here.
    text = f"{previous} {sequence} {at_ms} {digest_act(act)}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def find_faults(entries: Iterable[AuditEntry], chain: Chain) -> Iterator[Fault]:
    """Compare entries, in the order they are stored, with their hashes; nothing is yielded for a whole chain."""
    if chain.broken_at is not None:
        yield Fault("removed", chain.broken_at, f"entries before {chain.broken_at} were missing when it was trimmed")
    links, missing, highest = {chain.anchor.sequence: chain.anchor.link}, set[int](), chain.anchor.sequence
    for entry in entries:
        number = entry.sequence
        fault = _judge(entry, links, missing, highest)
        if fault is not None:
            yield fault
        if number < chain.anchor.sequence or number in links:
            continue
        links[number] = entry.link
        missing.discard(number)
        missing.update(range(highest + 1, min(number, chain.head.sequence + 1)))
        highest = max(highest, number)
    yield from _name_missing(missing)
    yield from _judge_end(links, highest, chain.head)


def _judge(entry: AuditEntry, links: Mapping[int, str], missing: Collection[int], highest: int) -> Fault | None:
    number, behind = entry.sequence, f"behind entry {highest}" if highest else "at the beginning"
    if number <= 0:
        return Fault("added", highest + 1, f"what is stored {behind} is no entry of the audit log")
    if number in links or (number not in missing and number <= highest):
        return Fault("added", number, f"another entry {number} is stored {behind}")
    previous = links.get(number - 1)
    if previous is not None and entry.link != link_entry(previous, number, entry.at_ms, entry.act):
        return Fault("changed", number, f"entry {number}, or the hash of the one before it, was changed")
    if entry.has_more:
        return Fault("changed", number, f"entry {number} has a field that captchad has not written")
    if number in missing:
        return Fault("reordered", number, f"entry {number} is stored {behind}")
    return None


def _judge_end(links: Mapping[int, str], highest: int, head: Mark) -> Iterator[Fault]:
    if highest < head.sequence:
        yield Fault("removed", highest + 1, f"{_span(highest + 1, head.sequence)} missing, at the end")
    elif highest > head.sequence:
        first = head.sequence + 1
        yield Fault("added", first, f"{_span(first, highest)} stored behind the last one that captchad wrote")
    elif links[highest] != head.link:
        yield Fault("changed", highest, f"entry {highest} is not the last one that captchad wrote")


def _name_missing(missing: set[int]) -> Iterator[Fault]:
    numbers = sorted(missing)
    while numbers:
        first = end = numbers.pop(0)
        while numbers and numbers[0] == end + 1:
            end = numbers.pop(0)
        yield Fault("removed", first, f"{_span(first, end)} missing")


def _span(first: int, end: int) -> str:
    return f"entry {first} is" if first == end else f"entries {first} to {end} are"
