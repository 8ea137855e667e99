"""Reads heads off a connection and relays bodies from one connection to another."""

import asyncio
import re

from captchad.egress.http_head import HEAD_LIMIT_BYTES, BodyKind, Framing, MalformedMessage

PIECE_BYTES = 64 * 1024
_BLANK_LINES = (b"\r\n", b"\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Read up to the empty line that ends a head; empty bytes when the connection ended before it.

    Raises MalformedMessage beyond the size limit or when it breaks off.
    """
    raw = bytearray()
    while line := await _read_line(reader):
        raw += line
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
    sent_bytes = 0
    while True:
        match = _CHUNK_SIZE.fullmatch(await _read_line(reader))
        if match is None:
            raise MalformedMessage("a chunk's size is not a hexadecimal number")
        size_bytes = int(match.group(1), 16)
        if size_bytes == 0:
            break
        sent_bytes += size_bytes
        _check_size(sent_bytes, limit_bytes)
        writer.write(b"%x\r\n" % size_bytes)
        await _relay_exactly(reader, writer, size_bytes)
        writer.write(b"\r\n")
        if await _read_line(reader) not in _BLANK_LINES:
            raise MalformedMessage("a chunk does not end where its size says")
    await _skip_trailers(reader)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _skip_trailers(reader: asyncio.StreamReader) -> None:
    size_bytes = 0
    while (line := await _read_line(reader)) not in (*_BLANK_LINES, b""):
        size_bytes += len(line)
        if size_bytes > HEAD_LIMIT_BYTES:
            raise MalformedMessage(f"the trailers are larger than {HEAD_LIMIT_BYTES} bytes")
