"""The folder of one process's browsers: profiles, temporary files and the launcher."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "captchad-b-"
"""Short: Chromium creates a socket below it, and a socket's path is limited to 107 characters."""

LOCK_NAME = "lock"
PASSABLE_MODE = 0o711


class ProfileFolder:
    """A folder removed at the end, or by the next process where its own was killed."""

    def __init__(self) -> None:
        _remove_abandoned(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        # The kernel releases the lock however the process ends, so a folder without one is abandoned.
        self._lock = _lock(self.path / LOCK_NAME)
        self.home = self._make("home")
        self.temporary = self._make("tmp")

    def give_to(self, user_id: int, group_id: int) -> None:
        """Let another user enter the folder, and write where the browser writes."""
        self.path.chmod(PASSABLE_MODE)
        for folder in (self.home, self.temporary):
            os.chown(folder, user_id, group_id)

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)

    def _make(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o700)
        return folder


def _lock(path: Path) -> int:
    """Create a file that is locked before it gets its name; return its descriptor."""
    unseen = path.with_suffix(".new")
    descriptor = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unseen.rename(path)
    return descriptor


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            # Anybody may create such a name in /tmp; only our own folders are touched, and no link is followed.
            if folder.lstat().st_uid != os.geteuid():
                continue
            descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                # Fails where its process still runs.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
