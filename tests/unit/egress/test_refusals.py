import logging

import pytest

from captchad.domain.target import Origin
from captchad.egress.refusals import REMEMBERED_ORIGINS, RefusalBook
from captchad.egress.scope import EgressRefused, RefusalReason
from captchad.runtime.clock import Clock

ENDPOINT = Origin("http", "a.example", 80)
ERROR = EgressRefused(RefusalReason.UNDECLARED_HOST, "a.example is not declared")


class SetClock(Clock):
    """A clock that stands where the test sets it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic_seconds(self) -> float:
        return self.seconds


def test_refusals_are_counted_told_and_remembered() -> None:
    told: list[tuple[str, Origin]] = []
    clock = SetClock()
    book = RefusalBook(clock, lambda reason, origin: told.append((reason, origin)))
    book.note(ENDPOINT, ERROR)
    book.note(ENDPOINT, ERROR)
    assert book.counts == {"undeclared_host": 2}
    assert told == [("undeclared_host", ENDPOINT)] * 2
    assert book.find_last(ENDPOINT, 100.0) is not None
    assert book.find_last(ENDPOINT, 100.1) is None
    assert book.find_last(Origin("http", "a.example", 81), 0) is None


def test_a_page_that_keeps_trying_neither_fills_the_log_nor_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    book = RefusalBook(SetClock())
    for _ in range(1000):
        book.note(ENDPOINT, ERROR)
    assert len(caplog.records) == 1
    for port in range(1, 2 * REMEMBERED_ORIGINS):
        book.note(Origin("http", "a.example", port), ERROR)
    assert book.find_last(Origin("http", "a.example", 1), 0) is None
    assert book.find_last(Origin("http", "a.example", 2 * REMEMBERED_ORIGINS - 1), 0) is not None
