"""Reads the files of this host that a backup has: labels, models, learning, the configuration, and secrets."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import orjson

from captchad.config.json_file import read_file
from captchad.config.without_secrets import leave_out_secrets
from captchad.deployment.backup.file_names import CONFIGURATION, KEPT_FOLDERS, SECRET_FILES, SECRETS_BESIDE, STATE
from captchad.deployment.backup.real_files import NoRealFile, opened_file, opened_folder
from captchad.domain.errors import BackupRefused, ConfigurationError

CHUNK_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file; `name` is STATE or CONFIGURATION, a slash, and the path below it."""

    name: str
    offset: int
    content: bytes


class StateFiles:
    """The kept files of the state folder; `passed_over` are links, and what else is no file, once all were read."""

    def __init__(self, state_directory: Path) -> None:
        self._root = state_directory
        self.passed_over: list[Path] = []

    def read(self) -> Iterator[Chunk]:
        """Yield the files piece by piece; what is deleted meanwhile or not yet finished is left out."""
        for kept in KEPT_FOLDERS:
            try:
                with opened_folder(self._root, (kept,)) as top:
                    yield from self._walk(top, kept)
            except FileNotFoundError:
                continue
            except NoRealFile:
                self.passed_over.append(self._root / kept)

    def _walk(self, top: int, kept: str) -> Iterator[Chunk]:
        for place, folders, names, folder in os.fwalk(".", dir_fd=top):
            folders.sort()
            below = PurePosixPath(kept, place)
            for name in sorted(names):
                if name.startswith("."):
                    continue
                try:
                    with opened_file(folder, name) as stream:
                        yield from _cut(f"{STATE}/{below / name}", stream)
                except FileNotFoundError:
                    continue
                except NoRealFile:
                    self.passed_over.append(self._root / below / name)
            # The walk does not enter them.
            self.passed_over += (self._root / below / name for name in folders if _is_link(name, folder))


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _cut(name: str, stream: BinaryIO) -> Iterator[Chunk]:
    offset = 0
    while (content := stream.read(CHUNK_BYTES)) or offset == 0:
        yield Chunk(name, offset, content)
        if not content:
            return
        offset += len(content)


def read_configuration(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return the configuration file without its secrets, and what was left out."""
    parsed = read_file(path)
    if parsed.problems:
        raise ConfigurationError(parsed.problems)
    tree, left_out = leave_out_secrets(parsed.tree)
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2) + b"\n", left_out


def find_secret_files(state_directory: Path, configuration: Path | None) -> dict[str, Path]:
    """Return the files of secrets by name: those beside the configuration, and keys of the state folder."""
    places = {f"{STATE}/{name}": state_directory / name for name in SECRET_FILES}
    if configuration is not None:
        places |= {f"{CONFIGURATION}/{name}": configuration.parent / name for name in SECRETS_BESIDE}
    return {name: path for name, path in places.items() if path.exists()}


def read_secrets(state_directory: Path, configuration: Path | None) -> Iterator[tuple[str, bytes]]:
    """Yield all that holds secrets, the whole configuration file too, by name; BackupRefused where it can't be read."""
    whole = {f"{CONFIGURATION}/{configuration.name}": configuration} if configuration is not None else {}
    for name, path in (whole | find_secret_files(state_directory, configuration)).items():
        try:
            yield name, _read_state_secret(path) if name.startswith(f"{STATE}/") else path.read_bytes()
        except NoRealFile:
            raise BackupRefused(f"{path} is a link, or no file: a backup follows none; remove it") from None
        except OSError as error:
            raise BackupRefused(f"{path} can't be read: {error.strerror}") from error


def _read_state_secret(path: Path) -> bytes:
    with opened_folder(path.parent, ()) as folder, opened_file(folder, path.name) as stream:
        return stream.read()
