"""The site's record: what is true, and that a picture is answered once."""

from hypothesis import given
from hypothesis import strategies as st

from captchad.sample_site.record import BoundedTable, Record


def test_truth_is_the_last_picture_of_the_visit() -> None:
    record = Record()
    record.note_puzzle("session", "visit", "abcd")
    record.note_puzzle("session", "visit", "efgh")
    assert record.truth("visit") == "efgh"
    assert record.truth("another") is None


def test_right_answer_counts_once() -> None:
    record = Record()
    record.note_puzzle("session", "visit", "abcd")
    assert record.verdict("visit") is None
    assert record.check_answer("session", " ABCD ")
    assert record.verdict("visit") is True
    assert not record.check_answer("session", "abcd")
    assert record.verdict("visit") is True


def test_wrong_answer_uses_the_picture_up() -> None:
    record = Record()
    record.note_puzzle("session", "visit", "abcd")
    assert not record.check_answer("session", "abce")
    assert not record.check_answer("session", "abcd")
    assert record.verdict("visit") is False


def test_answer_to_the_picture_before_is_wrong() -> None:
    record = Record()
    record.note_puzzle("session", "visit", "abcd")
    record.note_puzzle("session", "visit", "efgh")
    assert not record.check_answer("session", "abcd")


def test_answer_of_another_session_is_wrong() -> None:
    record = Record()
    record.note_puzzle("session", "visit", "abcd")
    assert not record.check_answer("other", "abcd")
    assert record.check_answer("session", "abcd")


@given(st.lists(st.tuples(st.text(max_size=2), st.integers())), st.integers(1, 5))
def test_table_keeps_the_newest_entries_only(entries: list[tuple[str, int]], limit: int) -> None:
    table = BoundedTable[int](limit)
    for key, value in entries:
        table.put(key, value)
    newest = list(dict(reversed(entries)))[:limit]
    expected = {key: dict(entries)[key] for key in newest}
    assert {key: table.get(key) for key, _ in entries if table.get(key) is not None} == expected


def test_taken_entry_is_gone() -> None:
    table = BoundedTable[int](2)
    table.put("a", 1)
    assert (table.take("a"), table.take("a")) == (1, None)
