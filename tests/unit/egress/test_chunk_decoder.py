"""Taking the chunked coding off, however a body is spelt and cut."""

import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from captchad.egress.chunk_decoder import CHUNK_COST_BYTES, CHUNKS_PER_STEP, SIZE_LINE_LIMIT_BYTES, ChunkDecoder
from captchad.egress.http_head import HEAD_LIMIT_BYTES, HEADER_COUNT_LIMIT, MalformedMessage

LIMIT_BYTES = 1 << 30
LINE_ENDS = st.sampled_from([b"\r\n", b"\n"])
SIZES = st.sampled_from([b"%x", b"%X", b"000%x", b"%x ", b"%x;name=value", b'%x\t;a="1;2"'])
CHUNKS = st.lists(st.tuples(st.binary(min_size=1, max_size=40), SIZES, LINE_ENDS, LINE_ENDS))
TRAILERS = st.lists(st.sampled_from([b"A: b\r\n", b"0\n", b"Chunk: 5\r\n"]), max_size=3)
BROKEN = st.lists(
    st.sampled_from([b"1", b"2;x", b"0", b"z", b"\r\n", b"\n", b"\r", b" ", b"a\r\nb", b"-1"]), max_size=12
)


def decode(body: bytes, piece_bytes: int = 65_536, limit_bytes: int = LIMIT_BYTES) -> bytes:
    decoder = ChunkDecoder(limit_bytes)
    data = b"".join(
        part for start in range(0, len(body), piece_bytes) for part in decoder.feed(body[start : start + piece_bytes])
    )
    if not decoder.is_done and not decoder.may_end:
        raise MalformedMessage("cut off")
    return data


def decode_plainly(body: bytes) -> bytes | None:
    """Return what a reader of one line after another finds; None where it is no whole body."""
    stream, data = io.BytesIO(body), b""
    while True:
        size = re.fullmatch(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n", stream.readline())
        if size is None:
            return None
        if int(size[1], 16) == 0:
            break
        chunk = stream.read(int(size[1], 16))
        if len(chunk) < int(size[1], 16) or stream.readline() not in (b"\r\n", b"\n"):
            return None
        data += chunk
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        if not line.endswith(b"\n"):
            return None
    return data


@given(CHUNKS, TRAILERS, st.integers(1, 70))
def test_data_is_what_was_put_in_however_it_is_spelt_and_cut(
    chunks: list[tuple[bytes, bytes, bytes, bytes]], trailers: list[bytes], piece_bytes: int
) -> None:
    body = b"".join(size % len(data) + before + data + after for data, size, before, after in chunks)
    body += b"0\r\n" + b"".join(trailers) + b"\r\n"
    assert decode(body, piece_bytes) == b"".join(data for data, *_ in chunks) == decode_plainly(body)


@given(BROKEN.map(b"".join) | st.binary(max_size=60), st.integers(1, 9))
@example(b"1\r\nx\r\n0\r\n", 3)
@example(b"1\r\nx\r\n0\r\nA: b", 3)
@example(b"1\r\nxx\r\n0\r\n\r\n", 4)
def test_whatever_comes_is_read_as_a_plain_reader_does(body: bytes, piece_bytes: int) -> None:
    try:
        found: bytes | None = decode(body, piece_bytes)
    except MalformedMessage:
        found = None
    assert found == decode_plainly(body)


def test_many_small_chunks_are_merged_and_each_step_is_bounded() -> None:
    parts = list(ChunkDecoder(LIMIT_BYTES).feed(b"1\r\nx\r\n" * 10_000))
    assert max(map(len, parts)) == CHUNKS_PER_STEP
    assert len(parts) == -(-10_000 // CHUNKS_PER_STEP)


def test_data_is_given_as_soon_as_it_is_here() -> None:
    decoder = ChunkDecoder(LIMIT_BYTES)
    assert [list(decoder.feed(piece)) for piece in (b"5\r\nab", b"c", b"de", b"\r\n")] == [[b"ab"], [b"c"], [b"de"], []]


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b"1;" + b"e" * 500 + b"\r\nx\r\n", b"64\r\n" + b"x" * 100 + b"\r\n"])
def test_what_chunks_cost_besides_their_data_counts_too(chunk: bytes) -> None:
    limit_bytes = 100_000
    chunks = limit_bytes // max(len(chunk), CHUNK_COST_BYTES) + 1
    with pytest.raises(MalformedMessage, match="too many chunks"):
        decode(chunk * chunks, limit_bytes=limit_bytes)
    decode(chunk * (limit_bytes // (len(chunk) + CHUNK_COST_BYTES + 5) - 2) + b"0\r\n\r\n", limit_bytes=limit_bytes)


def test_a_chunk_beyond_the_limit_is_refused_before_its_data() -> None:
    with pytest.raises(MalformedMessage, match="larger than 100000 bytes"):
        decode(b"186a1\r\n", limit_bytes=100_000)


@pytest.mark.parametrize(
    "beginning",
    [
        b"1;" + b"e" * SIZE_LINE_LIMIT_BYTES,
        b"0\r\n" + b"a\n" * (HEADER_COUNT_LIMIT + 1),
        b"0\r\n" + b"a" * (HEAD_LIMIT_BYTES + 1),
        b"1\r\nxy",
        b"zz\r\n",
    ],
)
def test_lines_without_end_and_nonsense_are_refused_before_the_rest_comes(beginning: bytes) -> None:
    # Not for want of its end: the decoder itself refuses it.
    with pytest.raises(MalformedMessage, match=r"^(?!cut off)"):
        decode(beginning, piece_bytes=1000)
