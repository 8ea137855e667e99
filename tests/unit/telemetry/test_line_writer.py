"""Lines that can't be written cost nobody anything but the lines, and are counted."""

import errno
import re

from hypothesis import given
from hypothesis import strategies as st

from captchad.telemetry.line_writer import LineWriter

LINES = (b"a", b"bb-bb", b"cccccccccc")
NOTICE = re.compile(rb"(\d+) lines could not be written: No space left on device")


class Disk:
    """Takes as many bytes as the script allows for each write, and then everything."""

    def __init__(self, room: list[int]) -> None:
        self.content = b""
        self._room = list(room)

    def make_room(self) -> None:
        self._room.clear()

    def write(self, data: bytes) -> int:
        room = self._room.pop(0) if self._room else len(data)
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += data[:room]
        return min(room, len(data))


def test_the_line_after_a_loss_follows_the_number_of_lost_ones() -> None:
    disk = Disk([100, 0, 0, 0])
    writer = LineWriter(disk.write, str.encode)
    for line in (b"first", b"lost", b"lost too"):
        writer.put(line)
    assert writer.failure == "No space left on device"
    writer.put(b"lost as well")
    writer.put(b"last")
    assert disk.content.splitlines() == [b"first", b"3 lines could not be written: No space left on device", b"last"]
    assert (writer.failure, writer.lost_lines) == ("", 3)


@given(st.lists(st.integers(0, 6), max_size=60), st.lists(st.sampled_from(LINES), max_size=20))
def test_whatever_a_disk_refuses_no_line_runs_into_another_and_none_is_lost_uncounted(
    room: list[int], lines: list[bytes]
) -> None:
    disk = Disk(room)
    writer = LineWriter(disk.write, str.encode)
    for line in lines:
        writer.put(line)
    disk.make_room()
    writer.put(b"end")
    found = disk.content.splitlines()
    assert found[-1] == b"end"
    counted = sum(int(match.group(1)) for match in map(NOTICE.fullmatch, found) if match)
    assert counted == writer.lost_lines
    whole = [line for line in found if line in LINES]
    assert len(whole) >= len(lines) - writer.lost_lines
    known = (*LINES, b"end")
    for line in found:
        is_cut_notice = NOTICE.fullmatch(line) is None and re.fullmatch(rb"\d+( [a-zA-Z :]*)?", line) is not None
        assert NOTICE.fullmatch(line) or is_cut_notice or any(one.startswith(line) for one in known), line
