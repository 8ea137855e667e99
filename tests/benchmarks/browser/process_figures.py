"""What a tree of processes has used, read from /proc."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """Memory of a whole tree; `pss_bytes` counts a shared page once, `rss_bytes` once for each that maps it."""

    processes: int
    pss_bytes: int
    rss_bytes: int


def list_tree(pid: int) -> list[psutil.Process]:
    """Return a process and everything under it."""
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    return []


def read_cpu_seconds(tree: Iterable[psutil.Process]) -> float:
    """Return the processor time of all, and of those under them that have ended.

    The top must be a subreaper: what becomes an orphan and ends would be in nobody's account otherwise.
    """
    total_seconds = 0.0
    for process in tree:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total_seconds += times.user + times.system + times.children_user + times.children_system
    return total_seconds


def read_memory(tree: Iterable[psutil.Process]) -> MemoryFigures:
    """Return the memory of all; where a process's shares can't be read, its resident memory stands in for them."""
    processes = pss_bytes = rss_bytes = 0
    for process in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            resident = process.memory_info().rss
            processes, rss_bytes = processes + 1, rss_bytes + resident
            pss_bytes += _read_pss_bytes(process.pid, resident)
    return MemoryFigures(processes, pss_bytes, rss_bytes)


def _read_pss_bytes(pid: int, otherwise: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:  # noqa: PTH123 - read at once, often
            return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return otherwise
