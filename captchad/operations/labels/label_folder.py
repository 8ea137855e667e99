"""Labels as a folder that people and `captchad train` read: pictures, and files that say what is in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from captchad.domain.errors import LabelProblem, LabelsRefused, PictureRefused
from captchad.domain.label import LABEL_PICTURE_LIMIT_BYTES, Verdict
from captchad.domain.picture import PictureFormat, find_picture_format, read_picture_header
from captchad.operations.labels.label_files import StoredLabel
from captchad.recognition.labelled import LABELS_FILE_NAME, LabelledPicture, read_labelled_folder

REFUSED_FILE_NAME = "refused.tsv"
"""What pictures do not say: file, tab, text, as in labels.tsv. Training does not read it."""

_HEADS = {
    LABELS_FILE_NAME: "# file, tab, what the picture shows\n",
    REFUSED_FILE_NAME: "# file, tab, an answer that was refused: what the picture does not show\n",
}
_UNKNOWN_SUFFIX = "picture"


@dataclass(frozen=True, slots=True)
class Export:
    """How many labels were written: texts that are right, and texts that were refused."""

    right: int
    refused: int


@dataclass(frozen=True, slots=True)
class FolderPicture:
    """A picture of a folder, with its text (empty: nobody knows it) and the answer that was refused, if any."""

    file: str
    picture: bytes
    text: str = ""
    refused: str = ""


def write_label_folder(labels: Iterable[StoredLabel], folder: Path) -> Export:
    """Write labels into a folder that is empty or not there yet, each picture under its label's id."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    lines: dict[Verdict, list[str]] = {Verdict.RIGHT: [], Verdict.WRONG: []}
    for label in labels:
        try:
            picture = label.picture
        except FileNotFoundError:
            continue  # deleted meanwhile
        file = f"{quote(label.label_id, safe='')}.{_find_suffix(picture)}"
        (folder / file).write_bytes(picture)
        lines[label.verdict].append(f"{file}\t{label.text}\n")
    right, refused = lines[Verdict.RIGHT], lines[Verdict.WRONG]
    _write_lines(folder / LABELS_FILE_NAME, right)
    if refused:
        _write_lines(folder / REFUSED_FILE_NAME, refused)
    return Export(len(right), len(refused))


def read_review_folder(folder: Path) -> tuple[FolderPicture, ...]:
    """Return every picture of a folder that has labels.tsv, refused.tsv or both; LabelsRefused says what is wrong."""
    texts = {one.path: one for one in _read_optional(folder, LABELS_FILE_NAME)}
    refused = {one.path: one for one in _read_optional(folder, REFUSED_FILE_NAME)}
    if not texts and not refused:
        # The usual complaint: no file, or no picture in it.
        read_labelled_folder(folder)
    return tuple(
        FolderPicture(
            one.file,
            read_picture(one),
            texts[path].text if path in texts else "",
            refused[path].text if path in refused else "",
        )
        for path, one in {**refused, **texts}.items()
    )


def read_importable(folder: Path) -> tuple[tuple[LabelledPicture, bytes], ...]:
    """Return the labelled pictures of a folder; LabelsRefused names every one that can't be used."""
    found: list[tuple[LabelledPicture, bytes]] = []
    problems: list[LabelProblem] = []
    for labelled in read_labelled_folder(folder):
        try:
            found.append((labelled, _check(read_picture(labelled))))
        except (OSError, PictureRefused) as error:
            problems.append(LabelProblem(0, f"{labelled.file}: {error}"))
    if problems:
        raise LabelsRefused(LABELS_FILE_NAME, tuple(problems))
    return tuple(found)


def read_picture(labelled: LabelledPicture) -> bytes:
    """Return a picture's bytes, no more than one too many."""
    with labelled.path.open("rb") as stream:
        return stream.read(LABEL_PICTURE_LIMIT_BYTES + 1)


def _check(picture: bytes) -> bytes:
    if len(picture) > LABEL_PICTURE_LIMIT_BYTES:
        raise PictureRefused(f"the picture has more than {LABEL_PICTURE_LIMIT_BYTES} bytes")
    if read_picture_header(picture).format is PictureFormat.SVG:
        raise PictureRefused("vector pictures can't be learned from; draw it as a PNG first")
    return picture


def _read_optional(folder: Path, file_name: str) -> Sequence[LabelledPicture]:
    return read_labelled_folder(folder, file_name, may_be_empty=True) if (folder / file_name).exists() else ()


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text(_HEADS[path.name] + "".join(lines), encoding="utf-8")


def _find_suffix(picture: bytes) -> str:
    try:
        found = find_picture_format(picture)
    except PictureRefused:
        return _UNKNOWN_SUFFIX
    return "jpg" if found is PictureFormat.JPEG else str(found)
