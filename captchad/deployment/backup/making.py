"""Makes a backup: everything worth keeping of Redis and of this host's state folder, in one file."""

import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from captchad import __version__
from captchad.broker.backup.entries import encode_entry
from captchad.broker.backup.reading import InstallationReader
from captchad.deployment.backup.archive import ArchiveWriter
from captchad.deployment.backup.file_names import CONFIGURATION
from captchad.deployment.backup.folder import choose_path, new_file
from captchad.deployment.backup.host_files import StateFiles, find_secret_files, read_configuration, read_secrets
from captchad.deployment.backup.manifest import FILE, SALT, SEALED, Manifest
from captchad.deployment.backup.sealing import Sealer


@dataclass(frozen=True, slots=True)
class BackupOrder:
    """What is wanted: `file` None means one in the folder of backups; secrets are kept where there is a passphrase."""

    file: Path | None
    state_directory: Path
    configuration: Path | None
    partitions: int
    has_evidence: bool
    passphrase: str | None


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that is written: its checksum (hex), and the number of entries of each kind."""

    path: Path
    size_bytes: int
    checksum: str
    counts: Counter[str]
    left_out: tuple[str, ...]
    passed_over: tuple[Path, ...]
    """Links in the state folder, which are not followed."""


async def make_backup(order: BackupOrder, reader: InstallationReader, report: Callable[[int], None]) -> MadeBackup:
    """Write a backup; BackupRefused where its file can't be written. `report` is told of the entries read so far."""
    now_ms = await reader.now_ms()
    text, settings = read_configuration(order.configuration) if order.configuration else (b"", ())
    left_out = (*settings, *map(str, find_secret_files(order.state_directory, order.configuration).values()))
    has_secrets = order.passphrase is not None
    manifest = Manifest(
        now_ms, __version__, socket.gethostname(), order.partitions, order.has_evidence, has_secrets, left_out
    )
    path = order.file or choose_path(order.state_directory, now_ms)
    with new_file(path) as stream:
        writer = ArchiveWriter(stream)
        writer.write(manifest.encode())
        if order.configuration is not None:
            writer.write((FILE, f"{CONFIGURATION}/{order.configuration.name}".encode(), b"0", text))
        passed_over = _write_host(order, writer)
        await _write_redis(reader, writer, report)
        checksum = writer.finish()
        size_bytes = stream.tell()
    named = () if has_secrets else left_out
    return MadeBackup(path, size_bytes, checksum, writer.counts, named, passed_over)


def _write_host(order: BackupOrder, writer: ArchiveWriter) -> tuple[Path, ...]:
    files = StateFiles(order.state_directory)
    for chunk in files.read():
        writer.write((FILE, chunk.name.encode(), b"%d" % chunk.offset, chunk.content))
    if order.passphrase is not None:
        sealer = Sealer(order.passphrase)
        writer.write((SALT, sealer.salt))
        for name, plain in read_secrets(order.state_directory, order.configuration):
            writer.write((SEALED, name.encode(), sealer.seal(name, plain)))
    return tuple(files.passed_over)


async def _write_redis(reader: InstallationReader, writer: ArchiveWriter, report: Callable[[int], None]) -> None:
    done = 0
    async for entry in reader.read():
        writer.write(encode_entry(entry))
        done += 1
        report(done)
