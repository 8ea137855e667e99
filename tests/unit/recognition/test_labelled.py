"""Folders of labelled pictures: read whole, or refused with every wrong line named."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import LabelsRefused
from captchad.recognition.labelled import TEXT_LIMIT_CHARACTERS, read_labelled_folder


def write(folder: Path, labels: bytes | str, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"a picture")
    (folder / "labels.tsv").write_bytes(labels.encode() if isinstance(labels, str) else labels)
    return folder


def refuse(folder: Path) -> list[str]:
    with pytest.raises(LabelsRefused) as refusal:
        read_labelled_folder(folder)
    return refusal.value.lines()


def try_reading(folder: Path) -> tuple[list[tuple[str, str]], list[int]]:
    """Return the files with their texts, or the numbers of the wrong lines."""
    try:
        pictures = read_labelled_folder(folder)
    except LabelsRefused as refusal:
        return [], [problem.line for problem in refusal.problems] or [-1]
    return [(one.file, one.text) for one in pictures], []


def test_files_and_texts_come_in_the_order_of_the_lines(tmp_path: Path) -> None:
    labels = "# file, text\n\nb.png\tK7Qx\nlow/er/a.png\t 12 \n   \nc d.png\té"
    pictures = read_labelled_folder(write(tmp_path, labels, "b.png", "low/er/a.png", "c d.png"))
    assert [(one.file, one.text) for one in pictures] == [("b.png", "K7Qx"), ("low/er/a.png", "12"), ("c d.png", "é")]
    assert pictures[1].path.read_bytes() == b"a picture"


def test_what_other_systems_write_at_ends_and_beginnings_is_no_part_of_a_label(tmp_path: Path) -> None:
    pictures = read_labelled_folder(write(tmp_path, b"\xef\xbb\xbfa.png\tX1\r\nb.png\tX2\r\n", "a.png", "b.png"))
    assert [(one.file, one.text) for one in pictures] == [("a.png", "X1"), ("b.png", "X2")]


def test_a_letter_with_its_accent_apart_is_the_same_text(tmp_path: Path) -> None:
    (picture,) = read_labelled_folder(write(tmp_path, "a.png\te\u0301", "a.png"))
    assert picture.text == "\u00e9"


def test_every_wrong_line_is_named_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "labelled"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "ring.png").symlink_to(folder / "ring.png")
    lines = [
        b"good.png\tgood",
        b"gone.png\tx",
        b"good.png\tagain",
        b"./good.png\tagain",
        b"empty.png\t ",
        b"no tab",
        b"a\tb\tc",
        b"\tx",
        b"../secret.png\tx",
        str(tmp_path / "secret.png").encode() + b"\tx",
        b"link.png\tx",
        b"below\tx",
        b"good.png\t\xff\xfe",
        b"good.png\tx\x1b[2J",
        b"good.png\t\xe2\x80\xaex",
        b"nul\x00.png\tx",
        b"n" * 5000 + b"\tx",
        b"good.png\t" + b"x" * (TEXT_LIMIT_CHARACTERS + 1),
        b"ring.png\tx",
    ]
    write(folder, b"\n".join(lines), "good.png", "empty.png", "below/one.png")
    said = refuse(folder)
    assert [int(line.split(":")[1]) for line in said] == list(range(2, len(lines) + 1))
    assert "gone.png is not there" in said[0]
    assert said[1].endswith("good.png has a text already, in line 1")
    assert said[2].endswith("./good.png has a text already, in line 1")
    assert all("lies outside the folder" in said[number] for number in (7, 8, 9))
    assert "\x1b" not in "".join(said)


@pytest.mark.parametrize("labels", ["", "\n\n# nothing\n"])
def test_labels_that_name_no_picture_are_refused(tmp_path: Path, labels: str) -> None:
    assert refuse(write(tmp_path, labels)) == ["labels.tsv: names no picture"]


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    assert refuse(tmp_path) == ["labels.tsv: can't be read: no such file or directory"]


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"a.png\tx", b"a.png", b"\t", b"..\t1"]))))
def test_any_labels_are_read_or_refused_with_the_numbers_of_their_lines(lines: list[bytes]) -> None:
    count = b"\n".join(lines).count(b"\n") + 1
    with tempfile.TemporaryDirectory() as name:
        read, wrong = try_reading(write(Path(name), b"\n".join(lines), "a.png"))
    assert read == [("a.png", "x")] or all(0 <= number <= count for number in wrong)
    assert bool(read) != bool(wrong)
