"""Whatever is sent, in whatever pieces: a head's beginning behind whole requests is told from nothing at all."""

import asyncio
import itertools

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from captchad.web.next_head import NextHead

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def post_chunked(body: bytes) -> bytes:
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % chunk


BODIES = st.lists(st.sampled_from([b"a", b"\r\n", b"\r\n\r\n", b"GET /"]), max_size=4).map(b"".join)
REQUESTS = st.just(GET) | BODIES.map(post) | BODIES.map(post_chunked)


@given(
    st.lists(REQUESTS, min_size=1, max_size=4),
    st.integers(0, len(GET) - 1),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_a_beginning_is_told_from_nothing(requests: list[bytes], begun: int, cuts: list[int]) -> None:
    whole = b"".join(requests)
    text = whole + GET[:begun]
    # Requests that come one after another; several at once, with bodies of unknown length, may be told wrongly.
    ends = [sum(map(len, requests[:number])) for number in range(1, len(requests))]
    places = sorted({0, len(text), *ends, *(cut for cut in cuts if cut < len(text))})
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 65536)
        next_head = NextHead()
        for start, end in itertools.pairwise(places):
            found, _, _ = parser.feed_data(text[start:end])
            next_head.note(text[start:end], found)
    finally:
        loop.close()
    assert next_head.is_begun is (begun > 0)


@pytest.mark.parametrize("begun", [b"", GET[:9]])
def test_several_requests_in_one_piece_are_told_apart(begun: bytes) -> None:
    loop = asyncio.new_event_loop()
    try:
        text = GET + post(b"\r\n\r\n") + post(b"ab") + begun
        found, _, _ = HttpRequestParser(BaseProtocol(loop), loop, 65536).feed_data(text)
    finally:
        loop.close()
    next_head = NextHead()
    next_head.note(text, found)
    assert len(found) == 3
    assert next_head.is_begun is bool(begun)
