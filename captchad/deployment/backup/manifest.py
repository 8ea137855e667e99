"""The first row of a backup: what it is of, and what is in it."""

from dataclasses import asdict, dataclass

import orjson

from captchad.deployment.backup.archive import Row
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
