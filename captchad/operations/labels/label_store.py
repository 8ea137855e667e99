"""The label store: a folder for each target, and in it a file for each label, bounded by number, bytes and age."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from captchad.config.settings import RecognitionSection
from captchad.domain.errors import LabelUnreadable
from captchad.domain.label import Label, LabelOrigin, Verdict, write_time
from captchad.operations.labels.label_files import (
    SUFFIX,
    StoredLabel,
    locked,
    name_file,
    name_folder,
    read_host,
    read_label,
    write_label,
)
from captchad.runtime.clock import Clock
from captchad.runtime.durable_files import remove_unfinished, sync_folder

LABELS_FOLDER_NAME = "labels"
"""Below the state folder."""

SPARE_SHARE = 100
"""Where the store is full, one part in so many is dropped at once: room for one would mean to count for each."""

_RANKS = {LabelOrigin.VERIFIED: 0, LabelOrigin.REPORTED: 1, LabelOrigin.IMPORTED: 1, LabelOrigin.REVIEWED: 2}

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LabelLimits:
    """How much is kept: labels of one target, bytes of all targets together, and for how long."""

    labels: int
    bytes: int
    retention_seconds: float


@dataclass(frozen=True, slots=True)
class Addition:
    """What became of a label: whether it is in the store now, and how many others were dropped to make room."""

    is_kept: bool
    dropped: int = 0


@dataclass(slots=True)
class _Room:
    """What can certainly be added before the store must be counted again."""

    labels: int
    bytes: int


def open_label_store(state_directory: Path, config: RecognitionSection, clock: Clock) -> "LabelStore":
    """Return the label store of a state folder, which need not exist yet."""
    limits = LabelLimits(config.label_limit, config.label_limit_bytes, config.label_retention_seconds)
    return LabelStore(state_directory / LABELS_FOLDER_NAME, limits, clock)


class LabelStore:
    """Labels on this machine's disk; several processes may use one folder.

    Every change is one file that appears, is replaced or goes, whole: a process may be killed at any moment.
    """

    def __init__(self, folder: Path, limits: LabelLimits, clock: Clock) -> None:
        self._folder = folder
        self._limits = limits
        self._clock = clock
        self._room = _Room(0, 0)

    def hosts(self) -> tuple[str, ...]:
        """Return the targets that have labels, sorted."""
        return tuple(sorted(read_host(folder.name) for folder in self._folders() if any(_list_files(folder))))

    def read(self, host: str) -> tuple[StoredLabel, ...]:
        """Return a target's labels in time order; a file that is no label is left out, and the log says so."""
        return _read_folder(self._folder / name_folder(host))

    def add(self, label: Label, picture: bytes) -> Addition:
        """Keep a label, in place of one with its id: a label that comes twice is there once.

        One whose origin knows less than that of the label it would replace is not kept.
        """
        with locked(self._folder):
            known = _read_or_none(self._folder / name_folder(label.host) / name_file(label.label_id))
            if known is not None and _RANKS[known.origin] > _RANKS[label.origin]:
                return Addition(is_kept=False)
            return self._write(label, picture, is_new=known is None)

    def correct(self, label_id: str, text: str, who: str) -> bool:
        """Have a person's text replace that of a label, which is right from then on; whether there is one."""
        with locked(self._folder):
            known = self._find(label_id)
            if known is None:
                return False
            label = replace(_bare(known), text=text, verdict=Verdict.RIGHT, origin=LabelOrigin.REVIEWED, who=who)
            self._write(label, known.picture, is_new=False)
            return True

    def delete(self, label_ids: Collection[str]) -> int:
        """Delete labels; return how many there were."""
        with locked(self._folder):
            found = [label for label_id in label_ids if (label := self._find(label_id)) is not None]
            return _remove([label.path for label in found])

    def delete_host(self, host: str) -> int:
        """Delete every label of a target; return how many there were."""
        with locked(self._folder):
            return _remove(list(_list_files(self._folder / name_folder(host))))

    def prune(self) -> int:
        """Delete what is too old or too much, and what killed processes have left; return how many labels that were."""
        oldest = write_time(int(self._clock.now_ms() - self._limits.retention_seconds * 1000))
        with locked(self._folder):
            expired = 0
            for folder in self._folders():
                remove_unfinished(folder)
                expired += _remove([label.path for label in _read_folder(folder) if label.at < oldest])
            return expired + self._make_room()

    def _write(self, label: Label, picture: bytes, *, is_new: bool) -> Addition:
        if len(picture) > self._limits.bytes:
            return Addition(is_kept=False)
        self._room.bytes -= write_label(self._folder / name_folder(label.host), label, picture)
        self._room.labels -= is_new
        is_full = self._room.labels < 0 or self._room.bytes < 0
        return Addition(is_kept=True, dropped=self._make_room() if is_full else 0)

    def _make_room(self) -> int:
        """Count what is there, drop the oldest where that is too much, and return how many were dropped."""
        sizes = {folder: _measure(folder) for folder in self._folders()}
        dropped = 0
        for folder, files in sizes.items():
            if len(files) > self._limits.labels:
                dropped += _drop_oldest(folder, files, len(files) - _leave_spare(self._limits.labels))
        total = sum(sum(files.values()) for files in sizes.values())
        if total > self._limits.bytes:
            dropped += _drop_bytes(sizes, total - _leave_spare(self._limits.bytes))
        most = max((len(files) for files in sizes.values()), default=0)
        self._room = _Room(
            self._limits.labels - most, self._limits.bytes - sum(sum(files.values()) for files in sizes.values())
        )
        return dropped

    def _find(self, label_id: str) -> StoredLabel | None:
        name = name_file(label_id)
        for folder in self._folders():
            label = _read_or_none(folder / name)
            if label is not None:
                return label
        return None

    def _folders(self) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from (path for path in sorted(self._folder.iterdir()) if path.is_dir())


def _bare(label: StoredLabel) -> Label:
    """Return a stored label without its place."""
    return Label(
        label.label_id, label.host, label.text, label.verdict, label.origin, label.task_id, label.at, label.who
    )


def _leave_spare(limit: int) -> int:
    return limit - limit // SPARE_SHARE


def _list_files(folder: Path) -> Iterator[Path]:
    return folder.glob(f"*{SUFFIX}")


def _read_folder(folder: Path) -> tuple[StoredLabel, ...]:
    found = (_read_or_none(path) for path in _list_files(folder))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.at, one.label_id)))


def _read_or_none(path: Path) -> StoredLabel | None:
    try:
        return read_label(path)
    except FileNotFoundError:
        return None
    except LabelUnreadable as error:
        _logger.warning("%s", error.message)
        return None


def _measure(folder: Path) -> dict[Path, int]:
    """Return the size in bytes of each label."""
    return {path: path.stat().st_size for path in _list_files(folder)}


def _drop_oldest(folder: Path, files: dict[Path, int], number: int) -> int:
    """Drop so many of a target's labels, also from `files`; a file that is no label goes first."""
    readable = [label.path for label in _read_folder(folder)]
    chosen = [*(files.keys() - set(readable)), *readable][:number]
    for path in chosen:
        del files[path]
    return _remove(chosen)


def _drop_bytes(sizes: dict[Path, dict[Path, int]], needed: int) -> int:
    """Drop labels until so many bytes are free, each time the oldest of the target that has the most bytes."""
    ages = {folder: [label.path for label in _read_folder(folder)] for folder in sizes}
    for folder, files in sizes.items():
        ages[folder] = [*(files.keys() - set(ages[folder])), *ages[folder]]
    totals = {folder: sum(files.values()) for folder, files in sizes.items()}
    chosen: list[Path] = []
    while needed > 0:
        largest = max(totals, key=lambda folder: totals[folder])
        path = ages[largest].pop(0)
        size = sizes[largest].pop(path)
        totals[largest] -= size
        needed -= size
        chosen.append(path)
    return _remove(chosen)


def _remove(paths: Collection[Path]) -> int:
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)
    return len(paths)
