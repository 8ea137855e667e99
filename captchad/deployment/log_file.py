"""A log on disk of bounded size."""

import contextlib
from collections import deque
from io import FileIO
from pathlib import Path

import orjson

from captchad.telemetry.line_writer import LineWriter

LIMIT_BYTES = 4_194_304
REMEMBERED_LINES = 20


class LogFile:
    """Appends lines to a file; when it is full it is renamed to FILE.1 and a new one is started.

    Lines that the disk refuses are counted, and the next one that it takes comes after their number.
    """

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._last: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._lines = LineWriter(self._write, _word_loss)
        self._file: FileIO | None = None

    @property
    def failure(self) -> str:
        """Why lines can't be written now; empty where they can."""
        return self._lines.failure

    @property
    def lost_lines(self) -> int:
        """How many lines could not be written."""
        return self._lines.lost_lines

    def append(self, line: bytes) -> None:
        """Append a line, given without its line break."""
        self._last.append(line.decode(errors="replace"))
        self._lines.put(line)

    def begin_process(self) -> None:
        """Forget the previous process's last lines; the file keeps them."""
        self._last.clear()

    def read_last_lines(self, count: int) -> list[str]:
        """Return the current process's last lines."""
        return list(self._last)[-count:]

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            # Some file systems tell only now that the disk is full; there is nothing left to do about it.
            with contextlib.suppress(OSError):
                file.close()

    def _write(self, line: bytes) -> int:
        try:
            file = self._opened()
            if file.tell() + len(line) > self._limit_bytes:
                self.close()
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                file = self._opened()
            return file.write(line)
        except OSError:
            # Opened anew with the next line: its folder may have come back meanwhile.
            self.close()
            raise

    def _opened(self) -> FileIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Unbuffered: a line that could not be written must not come later, in pieces.
            self._file = FileIO(self.path, "ab")
        return self._file


def _word_loss(message: str) -> bytes:
    return orjson.dumps({"level": "warning", "logger": __name__, "message": message})
