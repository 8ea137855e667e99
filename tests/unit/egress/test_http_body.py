"""How much is done in one turn of the event loop, whatever is there to be relayed already."""

import asyncio

import pytest

from captchad.egress.chunk_decoder import CHUNKS_PER_STEP
from captchad.egress.http_body import read_head, relay_body
from captchad.egress.http_head import HEADER_COUNT_LIMIT, BodyKind, Framing, MalformedMessage
from tests.loop_turns import count_turns

CHUNKS = 20_000


class Sink(asyncio.StreamWriter):
    """Takes all that is written, at once."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def __del__(self) -> None:
        """There is no transport to close."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    async def drain(self) -> None:
        return


def fill(content: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(content)
    reader.feed_eof()
    return reader


async def test_the_loop_turns_between_small_chunks_that_are_here_already() -> None:
    sink = Sink()
    with count_turns() as turns:
        await relay_body(fill(b"1\r\nx\r\n" * CHUNKS + b"0\r\n\r\n"), sink, Framing(BodyKind.CHUNKED), 1 << 30)
    assert turns.count >= CHUNKS // CHUNKS_PER_STEP
    # Written together, too: each write alone is a call of the operating system.
    assert len(sink.written) <= turns.count + 1
    assert sum(written.count(b"x") for written in sink.written) == CHUNKS


async def test_a_head_of_short_lines_is_read_up_to_its_limit() -> None:
    reader = fill(b"GET / HTTP/1.1\r\n" + b"a\n" * 30_000 + b"\n")
    with pytest.raises(MalformedMessage, match="more than 200 headers"):
        await read_head(reader)
    assert len(await reader.read()) > 2 * (30_000 - HEADER_COUNT_LIMIT - 3)
    most = b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * HEADER_COUNT_LIMIT + b"\r\n"
    assert await read_head(fill(most)) == most
