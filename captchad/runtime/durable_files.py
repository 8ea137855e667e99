"""Files that are there whole or not at all, outlive a power failure, and are their owner's alone."""

import os
import secrets
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600

_UNFINISHED = ".unfinished-"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or replace it, in one step; its folder is made where there is none."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
    try:
        with open(unfinished, "xb", opener=open_private) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have what has appeared in or gone from a folder outlive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes have left unfinished; only while no other one writes there."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        path.unlink(missing_ok=True)


def open_private(path: str, flags: int) -> int:
    """Open a file, as `opener` of `open`, that is its owner's alone where it is created."""
    return os.open(path, flags, FILE_MODE)
