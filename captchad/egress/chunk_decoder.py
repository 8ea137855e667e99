"""Takes the chunked coding off a body, many chunks in one step: a site may send chunks of a single byte."""

import re
from collections.abc import Iterator

from captchad.egress.http_head import HEAD_LIMIT_BYTES, HEADER_COUNT_LIMIT, MalformedMessage

CHUNKS_PER_STEP = 256
CHUNK_COST_BYTES = 256
"""What a chunk counts for besides its bytes: as much as could be relayed in the time that it takes."""
SIZE_LINE_LIMIT_BYTES = 4096
_LINE_END = b"\r\n"
_BLANK_LINES = (b"\r\n", b"\n")
_CHUNK_END = re.compile(rb"\r?\n")
_NEXT_CHUNK = re.compile(rb"\r?\n([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class ChunkDecoder:
    """Reads a chunked body in pieces; MalformedMessage where it makes no sense or costs more than the limit."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._cost_bytes = 0
        # As though a chunk had ended before the first: what comes next is then always the same.
        self._text = _LINE_END
        self._at = 0
        self._missing_bytes = 0
        self._trailers = 0
        self._is_in_trailers = False
        self.is_done = False

    @property
    def may_end(self) -> bool:
        """Whether all data is here; some sites leave out the empty line after it."""
        return self._is_in_trailers and self._at == len(self._text)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Give the data in the next piece, that of so many chunks at a time; what follows the body is dropped."""
        self._text, self._at = self._text[self._at :] + piece, 0
        while data := b"".join(self._take_chunks()):
            yield data
        if self._is_in_trailers:
            self._take_trailers()

    def _take_chunks(self) -> Iterator[bytes]:
        for _ in range(CHUNKS_PER_STEP):
            if self._at == len(self._text) or not (self._missing_bytes or self._begin_chunk()):
                return
            end = min(self._at + self._missing_bytes, len(self._text))
            yield self._text[self._at : end]
            self._missing_bytes -= end - self._at
            self._at = end

    def _begin_chunk(self) -> bool:
        """Go on to the next chunk's data; False where there is none, or none yet."""
        if self._is_in_trailers:
            return False
        head = _NEXT_CHUNK.match(self._text, self._at)
        if head is None:
            _check_beginning(self._text[self._at :])
            return False
        self._at = head.end()
        self._missing_bytes = int(head[1], 16)
        self._cost_bytes += self._missing_bytes + len(head[0]) + CHUNK_COST_BYTES
        if self._cost_bytes > self._limit_bytes:
            raise MalformedMessage(f"the body is larger than {self._limit_bytes} bytes, or in too many chunks for that")
        self._is_in_trailers = self._missing_bytes == 0
        return not self._is_in_trailers

    def _take_trailers(self) -> None:
        while end := self._text.find(b"\n", self._at) + 1:
            line, self._at = self._text[self._at : end], end
            if line in _BLANK_LINES:
                self.is_done = True
                return
            self._trailers += 1
            if self._trailers > HEADER_COUNT_LIMIT:
                raise MalformedMessage(f"there are more than {HEADER_COUNT_LIMIT} trailers")
        if len(self._text) - self._at > HEAD_LIMIT_BYTES:
            raise MalformedMessage(f"a trailer is longer than {HEAD_LIMIT_BYTES} bytes")


def _check_beginning(text: bytes) -> None:
    """Raise where this can't become the end of one chunk and the size of the next, whatever follows."""
    end = _CHUNK_END.match(text)
    if end is None and text not in (b"", b"\r"):
        raise MalformedMessage("a chunk does not end where its size says")
    if end is not None and b"\n" in text[end.end() :]:
        raise MalformedMessage("a chunk's size is not a hexadecimal number")
    if len(text) > SIZE_LINE_LIMIT_BYTES:
        raise MalformedMessage(f"the line of a chunk's size is longer than {SIZE_LINE_LIMIT_BYTES} bytes")
