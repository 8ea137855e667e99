"""The label store on disk: what it keeps, in which order, and what it drops."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from captchad.domain.label import Label, LabelOrigin, Verdict, write_time
from captchad.operations.labels.label_store import LabelLimits, LabelStore
from captchad.runtime.clock import Clock

HOST = "captcha.example.com"
PICTURE = b"\x89PNG the picture of a captcha\n\x00with a line break"
DAY_MS = 86_400_000


@dataclass
class WallClock(Clock):
    """A clock that stands still."""

    ms: int = 1_800_000_000_000

    def now_ms(self) -> int:
        """Return the time it was set to."""
        return self.ms


def make_label(number: int = 1, at_ms: int = 1_800_000_000_000, **changes: Any) -> Label:
    """Return a label of a verified answer."""
    label = Label(
        label_id=f"task_00{number:026d}-1",
        host=HOST,
        text=f"ab{number}",
        verdict=Verdict.RIGHT,
        origin=LabelOrigin.VERIFIED,
        task_id=f"task_00{number:026d}",
        at=write_time(at_ms),
        who="worker-1",
    )
    return replace(label, **changes)


def make_store(folder: Path, labels: int = 1000, size: int = 1_000_000, days: float = 365) -> LabelStore:
    """Return a store below a folder."""
    return LabelStore(folder / "labels", LabelLimits(labels, size, days * 86_400), WallClock())


def test_a_label_is_read_back_with_its_picture(tmp_path: Path) -> None:
    make_store(tmp_path).add(make_label(), PICTURE)
    [label] = make_store(tmp_path).read(HOST)
    assert (label.text, label.verdict, label.origin, label.who, label.at) == (
        "ab1",
        Verdict.RIGHT,
        LabelOrigin.VERIFIED,
        "worker-1",
        "2027-01-15T08:00:00.000Z",
    )
    assert label.picture == PICTURE


def test_labels_come_in_time_order(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for number, at_ms in ((1, 3000), (2, 1000), (3, 2000)):
        store.add(make_label(number, at_ms), PICTURE)
    assert [label.text for label in store.read(HOST)] == ["ab2", "ab3", "ab1"]


def test_a_label_that_comes_twice_is_there_once(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for _ in range(3):
        store.add(make_label(), PICTURE)
    assert len(store.read(HOST)) == 1


def test_a_message_that_comes_again_undoes_no_correction(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.add(make_label(verdict=Verdict.WRONG), PICTURE)
    assert store.correct(make_label().label_id, "AB1", "amy@desk")
    assert not store.add(make_label(verdict=Verdict.WRONG), PICTURE).is_kept
    [label] = store.read(HOST)
    assert (label.text, label.verdict, label.origin, label.who) == (
        "AB1",
        Verdict.RIGHT,
        LabelOrigin.REVIEWED,
        "amy@desk",
    )
    assert label.picture == PICTURE


def test_a_report_replaces_what_the_site_said(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.add(make_label(), PICTURE)
    store.add(make_label(origin=LabelOrigin.REPORTED, verdict=Verdict.WRONG), PICTURE)
    assert [label.verdict for label in store.read(HOST)] == [Verdict.WRONG]


def test_the_oldest_of_a_target_make_room(tmp_path: Path) -> None:
    store = make_store(tmp_path, labels=3)
    for number in range(1, 6):
        store.add(make_label(number, number * 1000), PICTURE)
    store.add(make_label(9, 1, host="other.example.com"), PICTURE)
    assert [label.text for label in store.read(HOST)] == ["ab3", "ab4", "ab5"]
    assert len(store.read("other.example.com")) == 1


def test_bytes_are_freed_where_most_of_them_are(tmp_path: Path) -> None:
    store = make_store(tmp_path, size=20_000)
    for number in range(1, 5):
        store.add(make_label(number, number * 1000), bytes(4000))
    store.add(make_label(8, 1, host="small.example.com"), PICTURE)
    dropped = store.add(make_label(5, 9000), bytes(4000)).dropped
    assert dropped == 1
    assert [label.text for label in store.read(HOST)] == ["ab2", "ab3", "ab4", "ab5"]
    assert len(store.read("small.example.com")) == 1


def test_a_picture_larger_than_the_store_is_not_kept(tmp_path: Path) -> None:
    store = make_store(tmp_path, size=1000)
    store.add(make_label(1), PICTURE)
    assert not store.add(make_label(2), bytes(1001)).is_kept
    assert [label.text for label in store.read(HOST)] == ["ab1"]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    store = make_store(tmp_path, days=10)
    now_ms = WallClock().ms
    store.add(make_label(1, now_ms - 11 * DAY_MS), PICTURE)
    store.add(make_label(2, now_ms - 9 * DAY_MS), PICTURE)
    assert store.prune() == 1
    assert [label.text for label in store.read(HOST)] == ["ab2"]


def test_labels_are_deleted_by_id_and_by_target(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for number in range(1, 4):
        store.add(make_label(number, number), PICTURE)
    store.add(make_label(7, host="other.example.com"), PICTURE)
    assert store.delete([make_label(2).label_id, "no such label"]) == 1
    assert [label.text for label in store.read(HOST)] == ["ab1", "ab3"]
    assert store.delete_host(HOST) == 2
    assert store.hosts() == ("other.example.com",)


@pytest.mark.parametrize("host", ["..", ".", "../../etc", "*.example.com", "::1", "a/b", ".hidden", "ä\n\x00"])
def test_no_host_leads_out_of_the_store(tmp_path: Path, host: str) -> None:
    store = make_store(tmp_path)
    store.add(make_label(host=host), PICTURE)
    assert store.hosts() == (host,)
    assert len(store.read(host)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]
    # The lock, and one folder with one file.
    assert len(list((tmp_path / "labels").rglob("*"))) == 3


def test_others_on_the_machine_read_nothing(tmp_path: Path) -> None:
    make_store(tmp_path).add(make_label(), PICTURE)
    for path in [tmp_path / "labels", *(tmp_path / "labels").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_file_that_is_no_label_spoils_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = make_store(tmp_path)
    store.add(make_label(), PICTURE)
    (tmp_path / "labels" / HOST / "broken.label").write_bytes(b"{")
    assert len(store.read(HOST)) == 1
    assert "broken.label is not a label" in caplog.text
