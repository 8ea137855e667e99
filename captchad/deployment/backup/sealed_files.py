"""Opens the secrets that lie in a backup under a passphrase."""

from collections.abc import Iterator
from pathlib import Path

from captchad.deployment.backup.archive import ArchiveReader, Row
from captchad.deployment.backup.manifest import SALT, SEALED
from captchad.deployment.backup.sealing import Sealer
from captchad.domain.errors import BackupRefused


def open_sealer(backup: Path, passphrase: str) -> Sealer:
    """Return what opens a backup's secrets, once it has opened one of them; BackupRefused with another passphrase."""
    sealer: Sealer | None = None
    for row in _read(backup):
        if row[0] == SALT:
            sealer = Sealer(passphrase, row[1])
        elif row[0] == SEALED and sealer is not None:
            sealer.open(row[1].decode(), row[2])
            break
    if sealer is None:
        raise BackupRefused(f"{backup}: the backup says that it has secrets, and has none")
    return sealer


def open_secrets(backup: Path, passphrase: str) -> tuple[str, ...]:
    """Return the names of a backup's secrets, each of which was opened."""
    sealer = open_sealer(backup, passphrase)
    sealed = [(row[1].decode(), row[2]) for row in _read(backup) if row[0] == SEALED]
    for name, content in sealed:
        sealer.open(name, content)
    return tuple(name for name, _ in sealed)


def _read(backup: Path) -> Iterator[Row]:
    with backup.open("rb") as stream:
        yield from ArchiveReader(stream).read()
