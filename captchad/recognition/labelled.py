"""A folder of labelled pictures: `labels.tsv` has a line for each, its file and, after a tab, its text."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from captchad.domain.errors import LabelProblem, LabelsRefused
from captchad.domain.label import LABEL_TEXT_LIMIT_CHARACTERS
from captchad.domain.plain_text import escape_control_characters

LABELS_FILE_NAME = "labels.tsv"
LABELS_LIMIT_BYTES = 64 * 1024 * 1024
TEXT_LIMIT_CHARACTERS = LABEL_TEXT_LIMIT_CHARACTERS
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture: `file` as the labels name it, `path` where it lies, `text` what a person reads in it (NFC)."""

    file: str
    path: Path
    text: str


def read_labelled_folder(
    folder: Path, file_name: str = LABELS_FILE_NAME, *, may_be_empty: bool = False
) -> tuple[LabelledPicture, ...]:
    """Read a folder's labels in their order; LabelsRefused names every wrong line at once.

    Blank lines and lines that start with `#` are skipped. Files may be in folders below this one, not outside it.
    """
    reader = _LabelsReader(folder, file_name)
    for number, line in enumerate(_read_labels(folder / file_name).split(b"\n"), start=1):
        reader.take(number, line)
    return reader.finish(may_be_empty)


def _read_labels(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(LABELS_LIMIT_BYTES + 1)
    except OSError as error:
        raise _refuse_file(path.name, f"can't be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > LABELS_LIMIT_BYTES:
        raise _refuse_file(path.name, f"has more than {LABELS_LIMIT_BYTES} bytes")
    return data.removeprefix(_BYTE_ORDER_MARK)


def _refuse_file(file_name: str, message: str) -> LabelsRefused:
    return LabelsRefused(file_name, (LabelProblem(0, message),))


class _LabelsReader:
    """Takes line after line, keeps the good ones' pictures and the wrong ones' problems."""

    def __init__(self, folder: Path, file_name: str) -> None:
        self._folder = folder.resolve()
        self._file_name = file_name
        self._pictures: list[LabelledPicture] = []
        self._problems: list[LabelProblem] = []
        self._lines_by_path: dict[Path, int] = {}

    def take(self, number: int, line: bytes) -> None:
        """Read one line."""
        try:
            picture = self._read_line(number, line)
        except _WrongLine as error:
            self._problems.append(LabelProblem(number, str(error)))
        else:
            if picture is not None:
                self._pictures.append(picture)

    def finish(self, may_be_empty: bool) -> tuple[LabelledPicture, ...]:
        """Return all pictures, of which there must be one at least unless `may_be_empty`."""
        if self._problems:
            raise LabelsRefused(self._file_name, tuple(self._problems))
        if not self._pictures and not may_be_empty:
            raise _refuse_file(self._file_name, "names no picture")
        return tuple(self._pictures)

    def _read_line(self, number: int, line: bytes) -> LabelledPicture | None:
        try:
            written = line.decode("utf-8").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise _WrongLine(f"byte {error.start + 1} is not UTF-8") from None
        if not written.strip() or written.startswith("#"):
            return None
        columns = written.split("\t")
        if len(columns) != _COLUMNS:
            raise _WrongLine(f"has {len(columns) - 1} tabs instead of one between file and text")
        file, text = columns[0], _check_text(columns[1])
        path = self._find(file)
        earlier = self._lines_by_path.setdefault(path, number)
        if earlier != number:
            raise _WrongLine(f"{_show(file)} has a text already, in line {earlier}")
        return LabelledPicture(file, path, text)

    def _find(self, file: str) -> Path:
        if not file.strip():
            raise _WrongLine("names no file")
        try:
            path = (self._folder / file).resolve()
            is_file = path.is_file()
        except (OSError, ValueError, RuntimeError) as error:
            # A name that is too long or has a null character, or a loop of links.
            raise _WrongLine(f"{_show(file)} can't be a file: {error}") from None
        if not path.is_relative_to(self._folder):
            raise _WrongLine(f"{_show(file)} lies outside the folder")
        if not is_file:
            raise _WrongLine(f"{_show(file)} is not there")
        return path


class _WrongLine(Exception):
    """One line can't be used."""


def _check_text(written: str) -> str:
    # Editors and file systems differ in how they compose accents.
    text = unicodedata.normalize("NFC", written.strip())
    if not text:
        raise _WrongLine("has no text")
    if len(text) > TEXT_LIMIT_CHARACTERS:
        raise _WrongLine(f"has a text of {len(text)} characters, more than {TEXT_LIMIT_CHARACTERS}")
    if escape_control_characters(text) != text:
        raise _WrongLine(f"has control characters in its text: {_show(text)}")
    return text


def _show(text: str) -> str:
    return escape_control_characters(text)
