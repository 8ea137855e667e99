"""Measures a browser's memory, and ends the pages that take most of it."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from captchad.browser.launch.process_tree import is_renderer, kill_all, list_tree


@dataclass(frozen=True, slots=True)
class _Resident:
    process: psutil.Process
    own_bytes: int
    of_files_bytes: int


def measure_rss_bytes(pid: int) -> int:
    """Return the resident memory of a process and all its descendants; mapped files count once.

    A browser's processes all map the same program, which would otherwise be counted a dozen times.
    """
    return _sum(_read_tree(pid))


def end_largest_renderers(pid: int, limit_bytes: int) -> int:
    """SIGKILL a browser's largest renderers until the others take no more than `limit_bytes`; return what is left.

    None is ended where that would not be enough. Blocks.
    """
    parts = sorted(_read_tree(pid), key=lambda part: part.own_bytes, reverse=True)
    ended: list[_Resident] = []
    left_bytes = _sum(parts)
    for part in parts:
        if left_bytes <= limit_bytes:
            break
        if is_renderer(part.process):
            ended.append(part)
            left_bytes -= part.own_bytes
    if left_bytes <= limit_bytes:
        kill_all(part.process for part in ended)
    return left_bytes


def _sum(parts: list[_Resident]) -> int:
    return sum(part.own_bytes for part in parts) + max((part.of_files_bytes for part in parts), default=0)


def _read_tree(pid: int) -> list[_Resident]:
    return [_Resident(process, *_read_resident_bytes(process.pid)) for process in list_tree(pid)]


def _read_resident_bytes(pid: int) -> tuple[int, int]:
    """Return a process's anonymous and shared-memory bytes, and its file-mapped ones; 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0, 0
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines) if "Rss" in name}
    return (kib.get("RssAnon", 0) + kib.get("RssShmem", 0)) * 1024, kib.get("RssFile", 0) * 1024
