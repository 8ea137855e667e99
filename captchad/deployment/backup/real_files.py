"""Reaches files below a folder that another user may change: by descriptors, and never through a link.

Root's commands work in the services' state folder. A link there would have them read or write what the services
must not.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from captchad.domain.errors import BackupRefused
from captchad.runtime.durable_files import FILE_MODE, FOLDER_MODE

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Opening a pipe must not wait for its other end.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK
_IN_THE_WAY = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK, errno.ENXIO)


class NoRealFile(Exception):
    """A link, or anything else that is neither a folder nor a regular file, is in the way."""


@contextmanager
def opened_folder(root: Path, parts: tuple[str, ...], *, creates: bool = False) -> Iterator[int]:
    """Open a folder below `root`, which itself may be reached by links; NoRealFile where the way leads through one."""
    if creates:
        root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            if creates:
                with suppress(FileExistsError):
                    os.mkdir(part, FOLDER_MODE, dir_fd=folder)
            inner = _open(part, _FOLDER, folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


@contextmanager
def opened_file(folder: int, name: str) -> Iterator[BinaryIO]:
    """Open a file for reading; NoRealFile where it is no regular one."""
    with _as_stream(_open(name, os.O_RDONLY | _FILE, folder), "rb") as stream:
        yield stream


@contextmanager
def appended_file(folder: int, name: str) -> Iterator[BinaryIO]:
    """Open a file for more, its owner's alone where it is created; NoRealFile where it is no regular one."""
    with _as_stream(_open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _FILE, folder), "ab") as stream:
        yield stream


def is_there(folder: int, name: str) -> bool:
    """Whether a folder has a regular file of that name; NoRealFile where it has something else."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        raise NoRealFile
    return True


def refuse_link(path: Path) -> BackupRefused:
    """Return the error for what stands where a restored file belongs."""
    return BackupRefused(
        f"{path} is a link or leads through one, or is no file: a restore follows none; remove it, and restore again"
    )


def _open(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, FILE_MODE, dir_fd=folder)
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise NoRealFile from None
        raise


def _as_stream(descriptor: int, mode: str) -> BinaryIO:
    # What was opened is looked at, not what has the name by now.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoRealFile
    return cast(BinaryIO, os.fdopen(descriptor, mode))
