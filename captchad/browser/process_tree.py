"""Finds, measures and kills the operating system's side of a browser or of its driver."""

import contextlib
import os
import signal
from collections.abc import Iterable

import psutil


def list_children() -> set[int]:
    """Give the process ids of this process's own children."""
    return {child.pid for child in psutil.Process().children()}


def find_driver(known: set[int]) -> int | None:
    """Give the child that runs Playwright's driver and is not in `known`."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if child.pid not in known and "run-driver" in child.cmdline():
                return child.pid
    return None


def find_marked(ancestor_pid: int, mark: str) -> int | None:
    """Give the topmost descendant whose command line has the argument `mark`."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(ancestor_pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if mark in child.cmdline():
                    return child.pid
    return None


def is_running(pid: int) -> bool:
    """Whether a process exists and is more than a zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def measure_rss_bytes(pid: int) -> int:
    """Give the resident memory of a process and all under it; shared pages count for each that maps them."""
    total_bytes = 0
    for process in list_tree(pid):
        with contextlib.suppress(psutil.Error):
            total_bytes += process.memory_info().rss
    return total_bytes


def kill_tree(pid: int) -> None:
    """SIGKILL a process, its group if it leads one, and everything under it."""
    tree = list_tree(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid:
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
    """Give a process and everything under it; empty where it is gone."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []
