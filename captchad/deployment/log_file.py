"""A log on disk of bounded size."""

from collections import deque
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 4_194_304
REMEMBERED_LINES = 20


class LogFile:
    """Appends lines to a file; when it is full it is renamed to FILE.1 and a new one is started."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path
        self._limit_bytes = limit_bytes
        self._last: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._file: BinaryIO | None = None

    def append(self, line: bytes) -> None:
        """Append a line, given without its line break."""
        self._last.append(line.decode(errors="replace"))
        stream = self._opened()
        if stream.tell() + len(line) >= self._limit_bytes:
            self.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            stream = self._opened()
        stream.write(line + b"\n")
        stream.flush()

    def begin_process(self) -> None:
        """Forget the previous process's last lines; the file keeps them."""
        self._last.clear()

    def read_last_lines(self, count: int) -> list[str]:
        """Return the current process's last lines."""
        return list(self._last)[-count:]

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = self.path.open("ab")
        return self._file
