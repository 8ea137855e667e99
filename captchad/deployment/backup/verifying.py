"""Finds out whether a backup is whole and whether this release can restore all of it."""

import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from captchad.deployment.backup.archive import ArchiveReader
from captchad.deployment.backup.manifest import Manifest
from captchad.deployment.backup.row_check import RowCheck
from captchad.domain.errors import BackupRefused


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that is whole: its checksum (hex), the number of entries of each kind, and the names of its files."""

    path: Path
    size_bytes: int
    manifest: Manifest
    checksum: str
    counts: Counter[str]
    files: tuple[str, ...]


def verify(path: Path, report: Callable[[int], None] = lambda done: None) -> Verified:
    """Read a backup to its end; BackupRefused where it is not whole, or has what this release can't restore.

    `report` is told of the bytes read so far.
    """
    check = RowCheck()
    try:
        with path.open("rb") as stream:
            reader = ArchiveReader(stream)
            for row in reader.read():
                check.take(row)
                report(stream.tell())
    except OSError as error:
        raise BackupRefused(f"{path} can't be read: {error.strerror}") from None
    except BackupRefused as refused:
        raise BackupRefused(f"{path}: {refused.message}") from None
    except (ValueError, IndexError, struct.error) as error:
        raise BackupRefused(f"{path}: the backup is not written as this release reads it: {error}") from None
    if check.manifest is None:
        raise BackupRefused(f"{path}: the backup is empty")
    return Verified(path, path.stat().st_size, check.manifest, reader.checksum, reader.counts, tuple(check.files))
