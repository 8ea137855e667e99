"""Reads heads off a connection and relays bodies from one connection to another."""

import asyncio

from captchad.egress.chunk_decoder import ChunkDecoder
from captchad.egress.http_head import HEAD_LIMIT_BYTES, HEADER_COUNT_LIMIT, BodyKind, Framing, MalformedMessage

PIECE_BYTES = 64 * 1024
_BLANK_LINES = (b"\r\n", b"\n")
_HEAD_LINES_LIMIT = HEADER_COUNT_LIMIT + 2
"""With the first line, and the empty one at the end."""


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Read up to the empty line that ends a head; empty bytes when the connection ended before it.

    Raises MalformedMessage beyond the limits of size and of lines, or when it breaks off.
    """
    raw = bytearray()
    lines = 0
    while line := await _read_line(reader):
        raw += line
        lines += 1
        if lines > _HEAD_LINES_LIMIT:
            # Each line takes time, however short it is, and what is here already is read in one turn of the loop.
            raise MalformedMessage(f"there are more than {HEADER_COUNT_LIMIT} headers")
        if line in _BLANK_LINES:
            return bytes(raw)
        if len(raw) > HEAD_LIMIT_BYTES:
            raise MalformedMessage(f"the head is larger than {HEAD_LIMIT_BYTES} bytes")
    if raw:
        raise MalformedMessage("the connection ended inside a head")
    return b""


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise MalformedMessage("the connection ended inside a line") from None
        return b""
    except asyncio.LimitOverrunError:
        raise MalformedMessage(f"a line is longer than {HEAD_LIMIT_BYTES} bytes") from None


async def relay_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, framing: Framing, limit_bytes: int
) -> None:
    """Send a body on as it comes; MalformedMessage when it breaks off, makes no sense or exceeds the limit."""
    if framing.kind is BodyKind.LENGTH:
        _check_size(framing.length_bytes, limit_bytes)
        await _relay_exactly(reader, writer, framing.length_bytes)
    elif framing.kind is BodyKind.CHUNKED:
        await _relay_chunks(reader, writer, limit_bytes)
    elif framing.kind is BodyKind.UNTIL_CLOSE:
        await relay_until_end(reader, writer, limit_bytes)


async def relay_until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit_bytes: int) -> None:
    """Send on whatever comes until the sender ends; MalformedMessage beyond the limit."""
    sent_bytes = 0
    while piece := await reader.read(PIECE_BYTES):
        sent_bytes += len(piece)
        _check_size(sent_bytes, limit_bytes)
        writer.write(piece)
        await writer.drain()


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise MalformedMessage(f"the body is larger than {limit_bytes} bytes")


async def _relay_exactly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length_bytes: int) -> None:
    left_bytes = length_bytes
    while left_bytes:
        piece = await reader.read(min(left_bytes, PIECE_BYTES))
        if not piece:
            raise MalformedMessage("the connection ended inside a body")
        left_bytes -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _relay_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit_bytes: int) -> None:
    decoder = ChunkDecoder(limit_bytes)
    while not decoder.is_done:
        piece = await reader.read(PIECE_BYTES)
        if not piece and not decoder.may_end:
            raise MalformedMessage("the connection ended inside a body")
        if not piece:
            break
        for data in decoder.feed(piece):
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()
            # A piece has up to ten thousand chunks: others have their turn between any two steps.
            await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
