"""Reads the CPU times of a browser's processes: time on a processor, and time waiting for one."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import psutil

from captchad.browser.browsers.hang_judge import Activity
from captchad.browser.launch.process_tree import is_renderer, list_tree

_NANOSECONDS_PER_SECOND = 1_000_000_000
_STOPPED_STATES = frozenset({psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP})


def read_activity(browser_pid: int, driver_pid: int) -> Activity:
    """Return the activity of a browser and of the driver that controls it; blocks.

    Renderers are left out: a page that spins, or was stopped, says nothing about the browser.
    """
    pids = [process.pid for process in list_tree(browser_pid) if not is_renderer(process)]
    # Its own work counts: every answer of the browser passes through it.
    pids.append(driver_pid)
    ran, queued = _sum_times(pids)
    return Activity(ran, queued, any(is_stopped(pid) for pid in pids))


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal or by a debugger."""
    try:
        return psutil.Process(pid).status() in _STOPPED_STATES
    except psutil.Error:
        return False


def _sum_times(pids: Iterable[int]) -> tuple[float, float]:
    """Return the seconds on a processor and waiting for one, over all threads, by the kernel's schedstat."""
    ran = queued = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            # Threads and processes may end while they are read.
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError, ValueError):
                    times = (thread / "schedstat").read_text(encoding="ascii").split()
                    ran, queued = ran + int(times[0]), queued + int(times[1])
    return ran / _NANOSECONDS_PER_SECOND, queued / _NANOSECONDS_PER_SECOND
