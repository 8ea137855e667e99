"""Checks that this release reads every row of a backup, before anything is done with it."""

from captchad.broker.backup.entries import KINDS, Head, Listed, PlainKey, StreamedLabel, decode_entry
from captchad.broker.backup.placing import place_task
from captchad.broker.backup.plain_keys import check_plain_key
from captchad.deployment.backup.archive import Row
from captchad.deployment.backup.file_names import split_name
from captchad.deployment.backup.manifest import FILE, MANIFEST, SALT, SEALED, Manifest, decode_manifest
from captchad.domain.errors import BackupRefused


class RowCheck:
    """Takes the rows of one backup in their order; BackupRefused at the first that could not be restored."""

    def __init__(self) -> None:
        self.manifest: Manifest | None = None
        self.files: dict[str, None] = {}
        """The names of its files, sealed ones too, in their order."""
        self._partitions: set[int] = set()
        self._next_offset = 0

    def take(self, row: Row) -> None:
        """Check the next row."""
        if self.manifest is None:
            self.manifest = decode_manifest(row)
            return
        try:
            self._take(row)
        except (ValueError, IndexError) as error:
            raise BackupRefused(f"the backup has an entry that this release can't read: {error}") from error

    def _take(self, row: Row) -> None:
        kind = row[0]
        if kind in KINDS:
            self._take_entry(row)
        elif kind == FILE:
            _, name, offset, content = row
            self._take_piece(name.decode(), int(offset), len(content))
        elif kind == SEALED:
            _, name, _ = row
            self._take_piece(name.decode(), 0, 0)
        elif kind == SALT:
            _, _ = row
        elif kind == MANIFEST:
            raise BackupRefused("the backup says twice what it is of")
        else:
            unknown = kind.decode(errors="replace")
            raise BackupRefused(
                f"the backup was made by a later release: this one does not know entries of the kind {unknown!r}; "
                "restore it with that release"
            )

    def _take_piece(self, name: str, offset: int, length: int) -> None:
        split_name(name)
        is_next = next(reversed(self.files), None) == name and offset == self._next_offset
        if offset and not is_next:
            raise BackupRefused(f"the backup lacks a piece of {name}")
        self.files[name] = None
        self._next_offset = offset + length

    def _take_entry(self, row: Row) -> None:
        entry = decode_entry(row)
        match entry:
            case Head(partition):
                if self.manifest is None or not 0 <= partition < self.manifest.partitions:
                    raise BackupRefused(f"the backup has a partition {partition} that it does not say it has")
                self._partitions.add(partition)
            case Listed(partition) | StreamedLabel(partition):
                if partition not in self._partitions:
                    raise BackupRefused(f"the backup lacks the head of partition {partition}")
                if isinstance(entry, Listed):
                    float(entry.score)
                    place_task(entry)
            case PlainKey() as key:
                check_plain_key(key)
