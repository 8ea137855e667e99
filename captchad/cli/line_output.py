"""Standard output for commands that must go on, whoever reads what they print."""

import queue
import sys
import threading

from captchad.telemetry.line_writer import LineWriter, Write, find_write

WAITING_LIMIT = 10_000
FLUSH_SECONDS = 1.0


class LineOutput:
    """Prints lines from a thread of its own.

    A stopped terminal (Ctrl-S), a pager that is not read on or a full disk stops the thread alone. Lines that nobody
    takes are left out and counted.
    """

    def __init__(self, write: Write | None = None) -> None:
        self._lines = LineWriter(write or find_write(sys.stdout), str.encode)
        self._waiting: queue.Queue[str | threading.Event] = queue.Queue(WAITING_LIMIT)
        self._left_out = 0
        # A daemon: the command must end even while nobody takes its last lines.
        threading.Thread(target=self._run, name="output", daemon=True).start()

    def put(self, line: str) -> None:
        """Print a line, sooner or later."""
        notice = f"{self._left_out} lines were left out here\n" if self._left_out else ""
        try:
            self._waiting.put_nowait(notice + line)
            self._left_out = 0
        except queue.Full:
            self._left_out += 1

    def flush(self) -> None:
        """Wait until everything is printed, or for a moment where nobody takes it."""
        done = threading.Event()
        try:
            self._waiting.put_nowait(done)
        except queue.Full:
            return
        done.wait(FLUSH_SECONDS)

    def _run(self) -> None:
        while True:
            match self._waiting.get():
                case str(line):
                    self._lines.put(line.encode("utf-8", "backslashreplace"))
                case done:
                    done.set()
