"""The file of a backup: rows of bytes in compressed blocks, each under a checksum that also covers those before it.

    magic and version    16 bytes
    block                mark (1 byte: D data, E end), lengths before and after compression (4 bytes each, big-endian),
                         checksum (32 bytes), content
    checksum             SHA-256 of the checksum of the block before, and of this block's mark, lengths and content
    content              rows, each a number of members, then for each its length and its bytes; deflated (zlib)
    end                  one row: the number of rows before it, for each kind (JSON); after it the file ends

A file that was cut off lacks the end, one in which a bit has changed has a wrong checksum: neither is taken for whole.
"""

import hashlib
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from captchad.domain.errors import BackupRefused

Row = tuple[bytes, ...]

MAGIC = b"captchad-backup"
VERSION = 1
BLOCK_BYTES = 1_048_576
"""A block is closed once it has as many; a longer row makes a longer block."""
BLOCK_LIMIT_BYTES = 1_073_741_824
"""What claims to be longer is damaged."""
COMPRESSION_LEVEL = 4

_DATA, _END = b"D", b"E"
_LENGTHS = struct.Struct("!II")
_NUMBER = struct.Struct("!I")
_DIGEST_BYTES = 32


class ArchiveWriter:
    """Writes rows into a stream; without `finish`, what was written is no archive."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._pending = bytearray()
        self._checksum = bytes(_DIGEST_BYTES)
        self.counts: Counter[str] = Counter()
        stream.write(MAGIC + bytes([VERSION]))

    def write(self, row: Row) -> None:
        """Add a row; its first member says what it is."""
        self.counts[row[0].decode()] += 1
        self._pending += _encode(row)
        if len(self._pending) >= BLOCK_BYTES:
            self._write_block(_DATA)

    def finish(self) -> str:
        """Write the end; return the checksum of the whole (hex)."""
        if self._pending:
            self._write_block(_DATA)
        self._pending += _encode((orjson.dumps(self.counts, option=orjson.OPT_SORT_KEYS),))
        self._write_block(_END)
        return self._checksum.hex()

    def _write_block(self, mark: bytes) -> None:
        content = zlib.compress(self._pending, COMPRESSION_LEVEL)
        lengths = _LENGTHS.pack(len(self._pending), len(content))
        self._pending.clear()
        self._checksum = _chain(self._checksum, mark + lengths, content)
        self._stream.write(mark + lengths + self._checksum)
        self._stream.write(content)


class ArchiveReader:
    """Reads the rows of an archive; BackupRefused where it is not whole, not ours, or of a newer release.

    Rows come before the end is checked: whoever must not act on half an archive reads it twice.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._checksum = bytes(_DIGEST_BYTES)
        self.counts: Counter[str] = Counter()

    @property
    def checksum(self) -> str:
        """The checksum of all that was read so far (hex)."""
        return self._checksum.hex()

    def read(self) -> Iterator[Row]:
        """Yield every row, and return once the end was there and right."""
        self._check_head()
        while True:
            mark, content = self._read_block()
            rows = _decode(content)
            if mark == _END:
                self._check_end(rows)
                return
            for row in rows:
                self.counts[row[0].decode(errors="replace")] += 1
                yield row

    def _check_head(self) -> None:
        head = self._stream.read(len(MAGIC) + 1)
        if head[: len(MAGIC)] != MAGIC:
            raise BackupRefused("this is not a backup of captchad")
        if head[len(MAGIC) :] != bytes([VERSION]):
            raise BackupRefused("the backup is in the format of another release; restore it with that one")

    def _read_block(self) -> tuple[bytes, bytes]:
        mark = self._take(1)
        lengths = self._take(_LENGTHS.size)
        checksum = self._take(_DIGEST_BYTES)
        length, stored = _LENGTHS.unpack(lengths)
        if mark not in (_DATA, _END) or max(length, stored) > BLOCK_LIMIT_BYTES:
            raise _damaged()
        content = self._take(stored)
        self._checksum = _chain(self._checksum, mark + lengths, content)
        if self._checksum != checksum:
            raise _damaged()
        try:
            # Not more than it claims, whatever it holds.
            plain = zlib.decompressobj().decompress(content, length + 1)
        except zlib.error:
            raise _damaged() from None
        if len(plain) != length:
            raise _damaged()
        return mark, plain

    def _check_end(self, rows: Iterator[Row]) -> None:
        counts = orjson.loads(next(rows)[0])
        if counts != dict(self.counts) or self._stream.read(1):
            raise _damaged()

    def _take(self, length: int) -> bytes:
        taken = self._stream.read(length)
        if len(taken) < length:
            raise BackupRefused("the backup is cut off: its end is missing")
        return taken


def _chain(before: bytes, head: bytes, content: bytes) -> bytes:
    digest = hashlib.sha256(before + head)
    digest.update(content)
    return digest.digest()


def _encode(row: Row) -> bytes:
    parts = [_NUMBER.pack(len(row))]
    for member in row:
        parts += (_NUMBER.pack(len(member)), member)
    return b"".join(parts)


def _decode(content: bytes) -> Iterator[Row]:
    at = 0

    def number() -> int:
        nonlocal at
        at += _NUMBER.size
        found: int = _NUMBER.unpack_from(content, at - _NUMBER.size)[0]
        return found

    while at < len(content):
        members = []
        for _ in range(number()):
            length = number()
            members.append(content[at : at + length])
            at += length
        yield tuple(members)


def _damaged() -> BackupRefused:
    return BackupRefused("the backup is damaged: a checksum is wrong")
