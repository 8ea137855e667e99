"""A backup that this release can't restore is refused before anything is done with it."""

from pathlib import Path

import pytest

from captchad.deployment.backup.archive import ArchiveWriter, Row
from captchad.deployment.backup.manifest import Manifest
from captchad.deployment.backup.verifying import verify
from captchad.domain.errors import BackupRefused

MANIFEST = Manifest(1000, "1.0.0", "host", 1, has_evidence=False, has_secrets=False).encode()
HEAD: Row = (b"head", b"0", b"1000", b"accepted", b"1")
KEY = b"captchad:{fleet}:proof"


def write(path: Path, *rows: Row) -> Path:
    with path.open("wb") as stream:
        writer = ArchiveWriter(stream)
        for row in (MANIFEST, *rows):
            writer.write(row)
        writer.finish()
    return path


def test_a_backup_that_is_right_has_its_files_named(tmp_path: Path) -> None:
    pieces = ((b"file", b"state/models/m.onnx", b"0", b"abc"), (b"file", b"state/models/m.onnx", b"3", b""))
    verified = verify(write(tmp_path / "one.backup", *pieces, HEAD, (b"label", b"0"), (b"key", KEY, b"set", b"", b"a")))
    assert verified.files == ("state/models/m.onnx",)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((b"novelty", b"1"), "made by a later release: .* 'novelty'"),
        ((b"file", b"state/../../etc/passwd", b"0", b""), "has no place here"),
        ((b"file", b"state/labels//etc/passwd/../x", b"0", b""), "has no place here"),
        ((b"file", b"state/redis/appendonly", b"0", b""), "has no place here"),
        ((b"file", b"state/labels/a", b"7", b""), "lacks a piece"),
        ((b"file", b"state/labels/a", b"none", b""), "can't read"),
        ((b"file", b"state/labels/a", b"0", b"", b"mode"), "can't read"),
        ((b"key", KEY, b"stream", b"", b"a"), "can't read"),
        ((b"key", KEY, b"hash", b"", b"a"), "do not fit together"),
        ((b"key", b"another", b"set", b"", b"a"), "not captchad's"),
        ((b"head", b"4", b"1000"), "partition 4"),
        ((b"label", b"3", b"a", b"b"), "head of partition 3"),
        ((b"task", b"0", b"id"), "can't read"),
        ((b"task", b"0", b"id", b"soon", b"", b"", b"0"), "can't read"),
        ((b"task", b"0", b"id", b"1", b"", b"", b"1", b"delayed", b"status", b"pending"), "can't read"),
    ],
)
def test_what_could_not_be_restored_is_refused(tmp_path: Path, row: Row, reason: str) -> None:
    with pytest.raises(BackupRefused, match=reason):
        verify(write(tmp_path / "one.backup", HEAD, row))
