"""Runs one command, and ends its whole process tree when the parent dies, however it dies.

Started by path with a bare interpreter, so it imports only the standard library. Standard input is the lifeline:
its first line is the order as JSON. When it ends, which the kernel ensures even after kill -9 of the parent, the
parent is gone. A browser puts itself into a session of its own, out of reach of a process group;
as the subreaper of everything below, this process can still find and end it.

Signals: SIGTERM, SIGHUP and SIGABRT are passed to the command alone, SIGQUIT ends the whole tree at once, SIGINT (a
terminal's Ctrl-C) is ignored. The exit code is the command's, or 128 and the number of the signal that ended it.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SIGNAL_EXIT_BASE = 128
EXIT_NOT_STARTED = 127
SWEEP_PAUSE_SECONDS = 0.02
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGABRT)


def main() -> int:
    """Read the order, run the command, and stay until none of its processes is left; return the exit code."""
    order = json.loads(_read_line(0))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    for number in (*PASSED_ON, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Signals become readable bytes, so that select waits for them and for the lifeline alike.
    signal.set_wakeup_fd(wake_write)
    command = _spawn(order, prctl)
    status = _attend(command, wake_read, order["grace_seconds"], order["linger_seconds"])
    _end_descendants()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else SIGNAL_EXIT_BASE - code


def _read_line(descriptor: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        # Byte by byte: nothing past the line may be taken from the lifeline.
        part = os.read(descriptor, 1)
        if not part:
            sys.exit(EXIT_NOT_STARTED)
        line += part
    return line


def _spawn(order: dict, prctl) -> int:  # type: ignore[type-arg,no-untyped-def]
    """Start the command so that it dies with this process if that is killed."""
    process_id = os.fork()
    if process_id:
        return process_id
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The child must not inherit our handlers.
        signal.set_wakeup_fd(-1)
        for number in (*PASSED_ON, signal.SIGQUIT, signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execvpe(order["command"][0], order["command"], os.environ)  # noqa: S606 - a shell is not wanted
    except OSError as error:
        sys.stderr.write(f"{order['command'][0]}: {error.strerror}\n")
        sys.stderr.flush()
    finally:
        os._exit(EXIT_NOT_STARTED)


def _attend(command: int, wake_read: int, grace_seconds: float, linger_seconds: float) -> int:
    """Wait for the command to end and return its wait status, passing signals on and watching the lifeline.

    Once the lifeline is cut, the command is asked to end after `linger_seconds` and killed `grace_seconds` later.
    """
    watched = [0, wake_read]
    due: list[tuple[float, signal.Signals]] = []
    while True:
        timeout_seconds = max(0.0, due[0][0] - time.monotonic()) if due else None  # noqa: TID251 - stands alone
        readable, _, _ = select.select(watched, [], [], timeout_seconds)
        if 0 in readable and not os.read(0, 1):
            # Always readable once ended; select would return at once for ever.
            watched.remove(0)
            cut = time.monotonic() + linger_seconds  # noqa: TID251
            due = [(cut, signal.SIGTERM), (cut + grace_seconds, signal.SIGKILL)]
        if wake_read in readable:
            _pass_on(command, os.read(wake_read, 1024))
        if due and time.monotonic() >= due[0][0]:  # noqa: TID251
            _send(command, due.pop(0)[1])
        status = _reap(command)
        if status is not None:
            return status


def _pass_on(command: int, numbers: bytes) -> None:
    for number in numbers:
        if number in PASSED_ON:
            _send(command, number)
        elif number == signal.SIGQUIT:
            _send(command, signal.SIGKILL)


def _send(process_id: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process_id, number)


def _reap(command: int) -> int | None:
    """Collect every process that has ended; return the command's status where it was among them."""
    found = None
    while True:
        try:
            process_id, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if process_id == 0:
            return found
        if process_id == command:
            found = status


def _end_descendants() -> None:
    """Kill the processes the command left behind, until none is left."""
    while descendants := _find_descendants(os.getpid()):
        for process_id in descendants:
            _send(process_id, signal.SIGKILL)
        _reap(-1)
        time.sleep(SWEEP_PAUSE_SECONDS)


def _find_descendants(ancestor: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The command's name, in parentheses, may hold spaces and parentheses itself.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [ancestor]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


if __name__ == "__main__":
    sys.exit(main())
