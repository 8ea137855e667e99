"""Tells whether the next request's head has begun to come: the parser keeps what it has of it, and says nothing."""

from collections.abc import Sequence

from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

_END = b"\r\n\r\n"
"""Of a head, and of a chunked body; never of a head's beginning."""


class NextHead:
    """Follows what one connection receives, told of each piece after the parser has had it."""

    def __init__(self) -> None:
        # Bytes beyond the end of the latest request, below zero while its body is still coming; None where they can't
        # be counted, since the length of a chunked body is not announced.
        self._surplus: int | None = 0
        self._last = b""
        self._payload: StreamReader | None = None
        self._was_whole = True

    @property
    def is_begun(self) -> bool:
        """Whether more has come than the requests so far; asked once the latest is whole."""
        return not self._last.endswith(_END) if self._surplus is None else self._surplus > 0

    def note(self, piece: bytes, requests: Sequence[tuple[RawRequestMessage, StreamReader]]) -> None:
        """A piece has come, and with it the last of these requests' heads."""
        if self._surplus is None and self._was_whole:
            self._surplus = len(self._last) if self.is_begun else 0
        text = self._last + piece
        if not requests and self._surplus is not None:
            self._surplus += len(piece)
        elif requests and self._surplus is not None:
            # The head may have begun in the piece before, and even its end.
            at = len(self._last) - min(self._surplus, len(self._last))
            self._surplus = _count_surplus(text, at, requests)
        if requests:
            self._payload = requests[-1][1]
        self._last = text[-len(_END) :]
        self._was_whole = self._payload is None or self._payload.is_eof()


def _count_surplus(text: bytes, at: int, requests: Sequence[tuple[RawRequestMessage, StreamReader]]) -> int | None:
    """Return how many bytes of a text, which has the heads of these requests from `at` on, come after them all."""
    for message, _ in requests:
        head_end = text.find(_END, at)
        if message.chunked or head_end < 0:
            return None
        at = head_end + len(_END) + int(message.headers.get("Content-Length", "0"))
    return len(text) - at
