"""Finds and kills the processes of a browser or its driver."""

import contextlib
import os
import signal
from collections.abc import Iterable

import psutil

_RENDERER = "--type=renderer"


def list_children() -> set[int]:
    """Return the process ids of this process's own children."""
    return {child.pid for child in psutil.Process().children()}


def find_driver(known: set[int]) -> int | None:
    """Return the child that runs Playwright's driver and is not in `known`."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if child.pid not in known and "run-driver" in child.cmdline():
                return child.pid
    return None


def find_marked(ancestor_pid: int, mark: str) -> int | None:
    """Return the topmost descendant whose command line has the argument `mark`."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(ancestor_pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if mark in child.cmdline():
                    return child.pid
    return None


def is_running(pid: int) -> bool:
    """Whether a process exists and is more than a zombie."""
    try:
        # A killed child stays a zombie until its parent collects it.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def is_renderer(process: psutil.Process) -> bool:
    """Whether a browser's process runs a page."""
    try:
        return _RENDERER in process.cmdline()
    except psutil.Error:
        return False


def kill_tree(pid: int) -> None:
    """SIGKILL a process, its group if it leads one, and all its descendants."""
    tree = list_tree(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if _is_group(pid):
            # The group first: it reaches processes started since the list was made.
            os.killpg(pid, signal.SIGKILL)
    kill_all(tree)


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL those that still run."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def await_ends(processes: Iterable[psutil.Process], timeout_seconds: float) -> None:
    """Wait until all have ended; blocks."""
    psutil.wait_procs(list(processes), timeout_seconds)


def list_tree(pid: int) -> list[psutil.Process]:
    """Return a process, its descendants and its group, which may outlive it; empty where all are gone.

    A distribution's browser is a script that starts the browser: killed, it leaves a group without a leader.
    """
    found = {member.pid: member for member in _list_group(pid)}
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        found |= {process.pid: process for process in (top, *top.children(recursive=True))}
    return list(found.values())


def _list_group(pid: int) -> list[psutil.Process]:
    members = []
    if _is_group(pid):
        for process in psutil.process_iter():
            with contextlib.suppress(OSError):
                if os.getpgid(process.pid) == pid:
                    members.append(process)
    return members


def _is_group(pid: int) -> bool:
    """Whether there may be a process group with this id; the kernel reuses no id while its group exists."""
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return True
