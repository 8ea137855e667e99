"""The label store after its process was killed at any step of any change: none is lost, none is there twice."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captchad.domain.label import LabelOrigin, Verdict
from captchad.operations.labels.label_store import LabelStore
from tests.unit.operations.labels.test_label_store import HOST, make_label, make_store

OTHER = "*.example.com"


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Change:
    """One change of the store, and at which of its steps on the disk the process is killed (0: it is not)."""

    name: str
    number: int
    text: str
    kill_step: int

    @property
    def host(self) -> str:
        """A label is always of one target."""
        return HOST if self.number % 2 else OTHER


CHANGES = st.builds(
    Change,
    st.sampled_from(("add", "report", "correct", "delete")),
    st.integers(1, 4),
    st.sampled_from(("abcd", "efgh", "AB")),
    st.integers(0, 6),
)
Contents = dict[tuple[str, str], tuple[str, Verdict, LabelOrigin, bytes]]


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Let nothing touch the disk any more from a step on."""
    left = [step if step else 1_000_000]

    def interrupt(real: Callable[..., object]) -> Callable[..., object]:
        def act(*arguments: object, **options: object) -> object:
            left[0] -= 1
            if left[0] <= 0:
                raise Killed
            return real(*arguments, **options)

        return act

    with (
        patch.object(os, "fsync", interrupt(os.fsync)),
        patch.object(Path, "rename", interrupt(Path.rename)),
        patch.object(Path, "unlink", interrupt(Path.unlink)),
    ):
        yield


def change(store: LabelStore, one: Change) -> None:
    label_id = make_label(one.number).label_id
    if one.name == "correct":
        store.correct(label_id, one.text, "amy")
    elif one.name == "delete":
        store.delete([label_id])
    else:
        origin = LabelOrigin.REPORTED if one.name == "report" else LabelOrigin.VERIFIED
        store.add(make_label(one.number, host=one.host, text=one.text, origin=origin), one.text.encode() * 50)


def read_all(folder: Path) -> Contents:
    """Return what a process sees that begins now, in every target's folder."""
    store = make_store(folder)
    return {
        (host, label.label_id): (label.text, label.verdict, label.origin, label.picture)
        for host in (HOST, OTHER)
        for label in store.read(host)
    }


@given(st.lists(CHANGES, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_kill_leaves_the_store_before_or_after_a_change(changes: list[Change]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, twin = Path(name) / "killed", Path(name) / "untouched"
        for one in changes:
            before = read_all(folder)
            try:
                with killed_at(one.kill_step):
                    change(make_store(folder), one)
            except Killed:
                # The twin is never killed, and knows what the whole change would have made.
                change(make_store(twin), one)
                assert read_all(folder) in (before, read_all(twin))
                change(make_store(folder), one)
            else:
                change(make_store(twin), one)
            assert read_all(folder) == read_all(twin)
        make_store(folder).prune()
        assert list(folder.rglob(".unfinished-*")) == []
        assert read_all(folder) == read_all(twin)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 400)), max_size=15), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_no_sequence_of_labels_exceeds_the_bounds(added: list[tuple[int, int]], most: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = make_store(Path(name), labels=most, size=3000)
        for number, size in added:
            store.add(make_label(number, number * 1000), bytes(size))
            found = store.read(HOST)
            assert 1 <= len(found) <= most
            assert sum(label.path.stat().st_size for label in found) <= 3000
            assert len({label.label_id for label in found}) == len(found)


def test_a_kill_in_a_change_is_really_met(tmp_path: Path) -> None:
    with pytest.raises(Killed), killed_at(1):
        make_store(tmp_path).add(make_label(), b"picture")
    assert list((tmp_path / "labels").rglob(".unfinished-*")) != []
