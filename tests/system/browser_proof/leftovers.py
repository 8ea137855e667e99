"""What may be left behind: processes, zombies, profiles and shared memory."""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.processes import list_descendants, read_command

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SHARED_MEMORY = Path("/dev/shm")
BROWSER_FILES = (".org.chromium*", "org.chromium*", "playwright*", "scoped_dir*", "captchad-b-*", ".com.google.Chrome*")
PAUSE_SECONDS = 0.1


def become_reaper() -> None:
    """Have every orphan below become this process's child, as the system's first process does with all others."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent() -> None:
    """Have this process leave in good order when its parent is gone, as a test that took too long is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def reap_orphans(own: set[int]) -> None:
    """Collect children that have ended, but for those in `own`, which somebody waits for."""
    for child in psutil.Process().children():
        if child.pid not in own:
            with contextlib.suppress(OSError):
                os.waitpid(child.pid, os.WNOHANG)


def describe(process: psutil.Process) -> str:
    """Say which process it is, and in what state."""
    with contextlib.suppress(psutil.Error):
        return f"{process.pid} {process.name()} ({process.status()})"
    return f"{process.pid} (gone)"


def find_zombies(top: psutil.Process) -> list[psutil.Process]:
    """Return what has ended below a process without having been waited for."""
    zombies = []
    for process in list_descendants(top.pid):
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                zombies.append(process)
    return zombies


def await_none(find: Callable[[], list[str]], seconds: float) -> list[str]:
    """Return what `find` still finds after `seconds`; empty as soon as it finds nothing."""
    deadline = time.monotonic() + seconds
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    return found


def list_shared_memory() -> set[str]:
    """Return the names of browsers' shared memory on this machine."""
    return {path.name for pattern in BROWSER_FILES for path in SHARED_MEMORY.glob(pattern)}


def list_files(folder: Path) -> list[str]:
    """Return all that lies in a folder which was empty at first."""
    return sorted(path.name for path in folder.iterdir())


def find_abandoned_profiles(temporary: Path, worker: psutil.Process) -> list[str]:
    """Return the folders of browsers that a worker no longer has."""
    used = set()
    for process in list_descendants(worker.pid):
        used |= {argument.partition("=")[2] for argument in read_command(process) if "--user-data-dir=" in argument}
    profiles = [path.name for path in temporary.glob("*/playwright_*profile*") if str(path) not in used]
    artifacts = sorted(path.name for path in temporary.glob("*/playwright-artifacts-*"))
    return profiles + artifacts[len(used) :]
