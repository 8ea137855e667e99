"""The folder of backups in the state folder, and how a backup appears in a folder: whole, or not at all."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from captchad.domain.errors import BackupRefused
from captchad.runtime.durable_files import FOLDER_MODE, open_private, sync_folder

FOLDER_NAME = "backups"
SUFFIX = ".backup"
MS = 1000
_UNFINISHED = ".unfinished-"
_PREFIX = "captchad-"
_TIME_FORMAT = "%Y%m%dT%H%M%S"


def choose_path(state_directory: Path, now_ms: int) -> Path:
    """Return a new backup's path in the folder of backups, which is created."""
    folder = state_directory / FOLDER_NAME
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise BackupRefused(f"{folder} can't be created: {error.strerror}") from error
    while (path := folder / _name(now_ms)).exists():
        now_ms += 1
    return path


def _name(now_ms: int) -> str:
    moment = datetime.fromtimestamp(now_ms // MS, UTC)
    return f"{_PREFIX}{moment.strftime(_TIME_FORMAT)}.{now_ms % MS:03}Z{SUFFIX}"


def list_backups(state_directory: Path) -> list[Path]:
    """Return the backups of the folder, the oldest first."""
    return sorted((state_directory / FOLDER_NAME).glob(f"{_PREFIX}*{SUFFIX}"))


def keep_newest(state_directory: Path, count: int) -> list[Path]:
    """Delete all but the newest backups of the folder; return those that went."""
    superfluous = list_backups(state_directory)[:-count]
    for path in superfluous:
        path.unlink(missing_ok=True)
    return superfluous


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Have a file be written that appears at `path` once it is whole and on the disk; BackupRefused where it can't."""
    _remove_unfinished(path.parent)
    if path.exists():
        raise BackupRefused(f"{path} is there already; name another file")
    draft = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}{SUFFIX}"
    try:
        with open(draft, "xb", opener=open_private) as stream:
            # Whoever finds it unlocked knows that its writer is gone.
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            # A link, unlike a rename, does not replace what another process has just written.
            path.hardlink_to(draft)
    except FileExistsError:
        raise BackupRefused(f"{path} is there already; name another file") from None
    except OSError as error:
        raise BackupRefused(f"{path} can't be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _remove_unfinished(folder: Path) -> None:
    """Remove what killed processes have left in a folder."""
    for path in folder.glob(f"{_UNFINISHED}*{SUFFIX}"):
        with suppress(OSError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
