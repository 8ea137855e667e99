"""The files of this host that a backup has: labels, models, what was learned from, the configuration, and secrets."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import orjson

from captchad.config.json_file import read_file
from captchad.config.secrets_file import NAME as SECRETS_NAME
from captchad.config.without_secrets import leave_out_secrets
from captchad.deployment.session_key import FILE as SESSION_KEY
from captchad.domain.errors import BackupRefused, ConfigurationError
from captchad.runtime.durable_files import FOLDER_MODE, open_private

STATE, CONFIGURATION = "state", "configuration"
KEPT_FOLDERS = ("labels", "models", "learning")
"""Below the state folder. Not kept are Redis's own data, logs, backups, and locks."""
SECRET_FILES = (SESSION_KEY, "browser-node.secret")
SECRETS_BESIDE = (
    *(SECRETS_NAME, "captchad.env", "join.json", "ca.crt"),
    *(f"tls/{name}" for name in ("ca.crt", "ca.key", "redis.crt", "redis.key")),
)
"""Below the configuration's folder: what is laid over it, the units' environment, and what hosts join each other by."""
CHUNK_BYTES = 262_144
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file; `name` is STATE or CONFIGURATION, a slash, and the path below it."""

    name: str
    offset: int
    content: bytes


def list_state_files(state_directory: Path) -> Iterator[Path]:
    """Yield the files of the state folder that are kept; what another process is about to finish is not."""
    for folder in KEPT_FOLDERS:
        for place, folders, names in os.walk(state_directory / folder):
            folders.sort()
            yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def read_chunks(state_directory: Path) -> Iterator[Chunk]:
    """Yield the kept files of the state folder piece by piece; one that is deleted meanwhile is left out."""
    for path in list_state_files(state_directory):
        name = f"{STATE}/{path.relative_to(state_directory).as_posix()}"
        try:
            with path.open("rb") as stream:
                yield from _cut(name, stream)
        except FileNotFoundError:
            continue


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
            yield name, path.read_bytes()
        except OSError as error:
            raise BackupRefused(f"{path} can't be read: {error.strerror}") from error


class FileRestorer:
    """Writes a backup's files, the configuration to `configuration`.

    A label or model that is there already stays, unless it `replaces`; a configuration or a key that is in use always
    stays, and another one is laid beside it.
    """

    def __init__(self, state_directory: Path, configuration: Path, replaces: bool) -> None:
        self._state_directory = state_directory
        self._configuration = configuration
        self._replaces = replaces
        self._draft: Path | None = None
        self._goal = ""
        self.written = 0
        self.kept = 0
        self.beside: list[Path] = []

    def put(self, chunk: Chunk) -> None:
        """Take the next piece; those of a file come one after the other."""
        if chunk.name != self._goal or chunk.offset == 0:
            self.finish()
            self._goal = chunk.name
            path = self._find_path(chunk.name)
            path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._draft = path.with_name(f"{_UNFINISHED}{os.getpid()}-{path.name}"[:255])
            self._draft.unlink(missing_ok=True)
        assert self._draft is not None
        with open(self._draft, "ab", opener=open_private) as stream:
            if stream.tell() != chunk.offset:
                raise BackupRefused(f"the backup lacks a piece of {chunk.name}")
            stream.write(chunk.content)

    def finish(self) -> None:
        """Put the last file in its place."""
        draft, self._draft = self._draft, None
        if draft is None:
            return
        with draft.open("rb") as stream:
            os.fsync(stream.fileno())
        path = self._find_path(self._goal)
        if not path.exists():
            draft.rename(path)
            self.written += 1
        elif draft.read_bytes() in _list_contents(path, is_configuration=path == self._configuration):
            draft.unlink()
            self.kept += 1
        elif self._replaces and self._goal.split("/")[1] in KEPT_FOLDERS:
            draft.replace(path)
            self.written += 1
        elif self._goal.split("/")[1] in KEPT_FOLDERS:
            draft.unlink()
            self.kept += 1
        else:
            # A key or a configuration in use is never overwritten.
            beside = path.with_name(f"{path.name}.restored")
            draft.replace(beside)
            self.beside.append(beside)

    def _find_path(self, name: str) -> Path:
        place, _, rest = name.partition("/")
        parts = PurePosixPath(rest).parts
        if place == CONFIGURATION:
            return self._configuration.parent / rest if rest in SECRETS_BESIDE else self._configuration
        is_ours = parts and (parts[0] in KEPT_FOLDERS or rest in SECRET_FILES)
        if place != STATE or not is_ours or ".." in parts or "\0" in rest:
            raise BackupRefused(f"the backup holds a file that has no place here: {name!r}")
        return self._state_directory.joinpath(*parts)


def _list_contents(path: Path, *, is_configuration: bool) -> tuple[bytes, ...]:
    """Return what a file is in a backup: as it is, and a configuration also without its secrets."""
    whole = path.read_bytes()
    return (whole, read_configuration(path)[0]) if is_configuration else (whole,)
