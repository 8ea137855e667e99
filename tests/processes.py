"""What tests ask of processes, any of which may end between being listed and being asked."""

import contextlib
import signal
from collections.abc import Iterable

import psutil

from tests.patience import PATIENCE_SECONDS


def list_descendants(pid: int | None = None) -> list[psutil.Process]:
    """Return all processes below one, below this one by default."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def read_command(process: psutil.Process) -> list[str]:
    """Return a process's command line; an empty one where it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def signal_all(processes: Iterable[psutil.Process], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal, the deadly one by default, to those that are still there."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def await_ends(processes: Iterable[psutil.Process], within_seconds: float = PATIENCE_SECONDS) -> list[psutil.Process]:
    """Wait until all have ended; return those that have not by then, none where all is well."""
    _, left = psutil.wait_procs([process for process in processes if is_alive(process)], within_seconds)
    return [process for process in left if is_alive(process)]
