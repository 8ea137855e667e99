"""Lines are printed without waiting for whoever reads them."""

import errno
import threading

import pytest

from captchad.cli import line_output
from captchad.cli.line_output import LineOutput
from tests.patience import wait_until


class Terminal:
    """Takes lines unless it is stopped."""

    def __init__(self) -> None:
        self.content = b""
        self.is_asked = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def write(self, data: bytes) -> int:
        self.is_asked.set()
        self.goes_on.wait()
        self.content += data
        return len(data)


def test_lines_come_in_their_order() -> None:
    terminal = Terminal()
    output = LineOutput(terminal.write)
    for number in range(100):
        output.put(str(number))
    output.flush()
    assert terminal.content.split() == [b"%d" % number for number in range(100)]


def test_a_stopped_terminal_costs_only_what_is_too_much_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_output, "WAITING_LIMIT", 10)
    monkeypatch.setattr(line_output, "FLUSH_SECONDS", 0.01)
    terminal = Terminal()
    terminal.goes_on.clear()
    output = LineOutput(terminal.write)
    output.put("0")
    terminal.is_asked.wait()
    for number in range(1, 100):
        output.put(str(number))
    output.flush()
    assert terminal.content == b""
    terminal.goes_on.set()
    wait_until(lambda: terminal.content.endswith(b"10\n"), "what was kept to be printed")
    output.put("last")
    wait_until(lambda: terminal.content.endswith(b"last\n"), "the last line")
    shown = [str(number) for number in range(11)]
    assert terminal.content.decode().splitlines() == [*shown, "89 lines were left out here", "last"]


def test_a_full_disk_costs_lines_which_are_counted() -> None:
    written: list[bytes] = []

    def write(data: bytes) -> int:
        if len(written) < 2:
            written.append(b"")
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(data)
        return len(data)

    output = LineOutput(write)
    for line in ("lost", "lost too", "kept"):
        output.put(line)
    output.flush()
    assert written[2:] == [b"2 lines could not be written: No space left on device\n", b"kept\n"]
