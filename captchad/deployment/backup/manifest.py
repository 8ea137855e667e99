"""The first row of a backup: what it is of, and what is in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from captchad.deployment.backup.archive import ArchiveReader, Row
from captchad.domain.errors import BackupRefused

MANIFEST, FILE, SALT, SEALED = b"manifest", b"file", b"salt", b"sealed"
"""The first members of rows that are no entries of Redis."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """When a backup was begun (Redis TIME, ms), by which release and host, of how many partitions, and what it has."""

    created_ms: int
    version: str
    host: str
    partitions: int
    has_evidence: bool
    has_secrets: bool
    left_out: tuple[str, ...] = ()
    """Secret settings of the configuration file, and files of secrets: none of them in the backup in the clear."""

    def encode(self) -> Row:
        """Return it as a row."""
        return (MANIFEST, orjson.dumps(asdict(self)))


def decode_manifest(row: Row) -> Manifest:
    """Read the first row of a backup; BackupRefused where it is none."""
    try:
        kind, text = row
        members = orjson.loads(text)
        manifest = Manifest(**members | {"left_out": tuple(members["left_out"])})
    except (ValueError, TypeError, KeyError):
        raise BackupRefused(
            "the backup is of another release: its first entry is not one that this release reads"
        ) from None
    if kind != MANIFEST:
        raise BackupRefused("the backup does not say what it is of")
    return manifest


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that is whole: its checksum (hex), and the number of entries of each kind."""

    path: Path
    size_bytes: int
    manifest: Manifest
    checksum: str
    counts: Counter[str]


def verify(path: Path, report: Callable[[int], None] = lambda done: None) -> Verified:
    """Read a backup to its end; BackupRefused where it is not whole. `report` is told of the bytes read so far."""
    try:
        with path.open("rb") as stream:
            reader = ArchiveReader(stream)
            manifest = None
            for row in reader.read():
                manifest = manifest or decode_manifest(row)
                report(stream.tell())
    except OSError as error:
        raise BackupRefused(f"{path} can't be read: {error.strerror}") from None
    except BackupRefused as refused:
        raise BackupRefused(f"{path}: {refused.message}") from None
    if manifest is None:
        raise BackupRefused(f"{path}: the backup is empty")
    return Verified(path, path.stat().st_size, manifest, reader.checksum, reader.counts)
