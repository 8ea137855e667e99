"""The audit log's chain: whatever is done to it is found and named."""

from dataclasses import replace
from io import BytesIO

import pytest

from captchad.domain.audit import Act, AuditEntry, Chain, Mark, find_faults, link_entry
from captchad.domain.audit_export import LINE_LIMIT_BYTES, ExportedEntry, compare_with_export, read_export, write_line
from captchad.domain.errors import CaptchadError

LENGTH = 9


def make_chain(first: int = 1) -> tuple[list[AuditEntry], Chain]:
    anchor = Mark(first - 1, "a" * 40)
    entries, last = [], anchor
    for number in range(first, first + LENGTH):
        act = Act("submit_task", key_id=f"key{number}", object={"hosts": ["captcha.example.com"]}).encode()
        last = Mark(number, link_entry(last.link, number, 1000 + number, act))
        entries.append(AuditEntry(number, 1000 + number, act, last.link))
    return entries, Chain(anchor, last)


def name_faults(entries: list[AuditEntry], chain: Chain) -> list[tuple[str, int]]:
    return [(fault.kind, fault.sequence) for fault in find_faults(entries, chain)]


@pytest.mark.parametrize("first", [1, 100])
def test_a_whole_chain_has_no_faults(first: int) -> None:
    entries, chain = make_chain(first)
    assert name_faults(entries, chain) == []
    assert name_faults([], Chain(chain.head, chain.head)) == []


@pytest.mark.parametrize("at", range(LENGTH))
def test_each_changed_entry_is_named(at: int) -> None:
    entries, chain = make_chain()
    forged = Act("submit_task", key_id="other").encode()
    for changed in (replace(entries[at], act=forged), replace(entries[at], at_ms=1)):
        assert name_faults([*entries[:at], changed, *entries[at + 1 :]], chain) == [("changed", at + 1)]
    # With a hash that fits: then the next one doesn't, or the end doesn't.
    previous = entries[at - 1].link if at else chain.anchor.link
    fitting = replace(entries[at], act=forged, link=link_entry(previous, at + 1, entries[at].at_ms, forged))
    found = name_faults([*entries[:at], fitting, *entries[at + 1 :]], chain)
    assert found == [("changed", min(at + 2, LENGTH))]


@pytest.mark.parametrize("at", range(LENGTH))
def test_each_removed_entry_is_named(at: int) -> None:
    entries, chain = make_chain()
    assert name_faults(entries[:at] + entries[at + 1 :], chain) == [("removed", at + 1)]
    gone = [fault.message for fault in find_faults(entries[:at], chain)]
    span = f"entries {at + 1} to {LENGTH} are" if at + 1 < LENGTH else f"entry {LENGTH} is"
    assert gone == [f"{span} missing, at the end"]


@pytest.mark.parametrize("at", range(LENGTH - 1))
def test_exchanged_entries_are_named(at: int) -> None:
    entries, chain = make_chain()
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    assert name_faults(entries, chain) == [("reordered", at + 1)]


@pytest.mark.parametrize("at", range(LENGTH + 1))
def test_an_added_entry_is_named(at: int) -> None:
    entries, chain = make_chain()
    copy, foreign = entries[0], AuditEntry(0, 0, b"", "")
    if at:
        assert name_faults([*entries[:at], copy, *entries[at:]], chain) == [("added", 1)]
    assert name_faults([*entries[:at], foreign, *entries[at:]], chain) == [("added", at + 1)]
    further = AuditEntry(LENGTH + 1, 0, b"{}", link_entry(entries[-1].link, LENGTH + 1, 0, b"{}"))
    assert name_faults([*entries, further], chain) == [("added", LENGTH + 1)]


def test_a_field_that_no_hash_covers_is_named() -> None:
    entries, chain = make_chain()
    entries[3] = replace(entries[3], has_more=True)
    assert name_faults(entries, chain) == [("changed", 4)]


def test_what_was_missing_when_it_was_trimmed_stays_known() -> None:
    entries, chain = make_chain(100)
    assert name_faults(entries, replace(chain, broken_at=50)) == [("removed", 50)]


def export(entries: list[AuditEntry], chain: Chain) -> bytes:
    previous, lines = chain.anchor.link, []
    for entry in entries:
        lines.append(write_line(entry, previous))
        previous = entry.link
    return b"".join(lines)


def read(content: bytes) -> list[ExportedEntry]:
    return list(read_export(BytesIO(content)))


def test_an_export_shows_a_chain_that_was_made_anew() -> None:
    entries, chain = make_chain()
    exported = read(export(entries, chain))
    assert [one.entry for one in exported] == entries
    assert list(compare_with_export(exported, entries, chain)) == []
    # Trimmed since: nothing to compare with.
    assert list(compare_with_export(exported, [], Chain(chain.head, chain.head))) == []
    other, other_chain = make_chain()
    forged, last = [], other_chain.anchor.link
    for entry in other:
        act = Act("submit_task").encode()
        last = link_entry(last, entry.sequence, entry.at_ms, act)
        forged.append(replace(entry, act=act, link=last))
    whole = Chain(chain.anchor, Mark(LENGTH, last))
    assert name_faults(forged, whole) == []
    assert len(list(compare_with_export(exported, forged, whole))) == LENGTH
    shorter = Chain(chain.anchor, Mark(3, entries[2].link))
    found = list(compare_with_export(exported, entries[:3], shorter))
    assert [(fault.kind, fault.sequence) for fault in found] == [("removed", n) for n in range(4, LENGTH + 1)]


def test_an_export_shows_what_was_trimmed_before_it_was_due() -> None:
    entries, chain = make_chain()
    exported, trimmed = read(export(entries, chain)), Chain(Mark(5, entries[4].link), chain.head)
    assert name_faults(entries[5:], trimmed) == []
    found = compare_with_export(exported, entries[5:], trimmed, kept_since_ms=entries[2].at_ms)
    assert [(fault.kind, fault.sequence) for fault in found] == [("removed", 4), ("removed", 5)]
    for due in (None, entries[4].at_ms):
        assert list(compare_with_export(exported, entries[5:], trimmed, due)) == []


def test_a_line_without_an_end_is_refused_before_it_is_read_whole() -> None:
    file = BytesIO(b"{" * (LINE_LIMIT_BYTES + 1))
    with pytest.raises(CaptchadError, match="line 1 is no entry"):
        list(read_export(file))
    assert file.tell() == LINE_LIMIT_BYTES


@pytest.mark.parametrize("at", range(1, LENGTH - 1))
def test_a_changed_export_is_found_by_itself(at: int) -> None:
    entries, chain = make_chain()
    lines = export(entries, chain).splitlines(keepends=True)
    gone = Chain(chain.head, chain.head)
    changed = [*lines[:at], lines[at].replace(b"submit_task", b"cancel_task"), *lines[at + 1 :]]
    assert [fault.sequence for fault in compare_with_export(read(b"".join(changed)), [], gone)] == [at + 1]
    shortened = lines[:at] + lines[at + 1 :]
    assert [fault.sequence for fault in compare_with_export(read(b"".join(shortened)), [], gone)] == [at + 2]


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"number": "x"}', b"\xff"])
def test_what_is_no_export_is_refused_by_its_line(line: bytes) -> None:
    entries, chain = make_chain()
    with pytest.raises(CaptchadError, match=f"line {LENGTH + 1} is no entry"):
        read(export(entries, chain) + line + b"\n")


def test_what_captchad_has_not_written_is_exported_as_it_is() -> None:
    for act in (b"not json", b'{"b": 1, "a": 2}', b"[]", b'"text"'):
        entry = AuditEntry(1, 5, act, link_entry("", 1, 5, act))
        [one] = read(write_line(entry, ""))
        assert one.entry == entry
