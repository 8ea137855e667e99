from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.deployment.backup.archive import ArchiveReader, ArchiveWriter, Row
from captchad.domain.errors import BackupRefused

KINDS = st.sampled_from([b"task", b"key", b"file"])
MEMBERS = st.lists(st.binary(max_size=2000), max_size=8)
ROWS = st.lists(st.tuples(KINDS, MEMBERS).map(lambda one: (one[0], *one[1])), max_size=30)


def write(rows: list[Row]) -> bytes:
    stream = BytesIO()
    writer = ArchiveWriter(stream)
    for row in rows:
        writer.write(row)
    writer.finish()
    return stream.getvalue()


def read(archive: bytes) -> list[Row]:
    return list(ArchiveReader(BytesIO(archive)).read())


@given(ROWS)
def test_what_was_written_is_read_back(rows: list[Row]) -> None:
    assert read(write(rows)) == rows


def test_long_rows_and_many_blocks_are_read_back() -> None:
    rows: list[Row] = [(b"file", bytes([number % 256]) * 700_000) for number in range(8)]
    assert read(write(rows)) == rows


@given(ROWS, st.data())
def test_a_part_of_an_archive_is_refused(rows: list[Row], data: st.DataObject) -> None:
    archive = write(rows)
    cut = archive[: data.draw(st.integers(0, len(archive) - 1))]
    with pytest.raises(BackupRefused, match=r"cut off|not a backup|another release"):
        read(cut)


@given(ROWS, st.data())
def test_a_flipped_bit_is_refused(rows: list[Row], data: st.DataObject) -> None:
    archive = bytearray(write(rows))
    place = data.draw(st.integers(0, len(archive) - 1))
    archive[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BackupRefused):
        read(bytes(archive))


@given(ROWS, st.binary(min_size=1, max_size=40))
def test_more_than_an_archive_is_refused(rows: list[Row], more: bytes) -> None:
    with pytest.raises(BackupRefused, match="damaged"):
        read(write(rows) + more)


def test_blocks_can_not_change_places() -> None:
    first = write([(b"file", b"a" * 1_100_000), (b"file", b"b" * 1_100_000)])
    other = write([(b"file", b"b" * 1_100_000), (b"file", b"a" * 1_100_000)])
    head = first[:16]
    length = 41 + int.from_bytes(first[21:25], "big")
    swapped = head + other[16 : 16 + length] + first[16 + length :]
    with pytest.raises(BackupRefused, match="checksum"):
        read(swapped)
