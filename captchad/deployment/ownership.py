"""Who owns what lies in a state folder: the roles, also where root's commands have made it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = 0


@contextmanager
def handed_over(state_directory: Path) -> Iterator[None]:
    """Have what root makes below a state folder meanwhile belong to that folder's owner, who must read it."""
    try:
        yield
    finally:
        if os.geteuid() == ROOT and state_directory.is_dir():
            _hand_over(state_directory.resolve())


def _hand_over(folder: Path) -> None:
    owner = folder.stat()
    if owner.st_uid == ROOT:
        return
    # By descriptors, and no link is followed: the owner, who can change the folder, must not be given anything else.
    for _, folders, files, place in os.fwalk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=place, follow_symlinks=False).st_uid == ROOT:
                    os.chown(name, owner.st_uid, owner.st_gid, dir_fd=place, follow_symlinks=False)
