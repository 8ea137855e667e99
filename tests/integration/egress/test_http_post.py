"""A POST through egress: only to where it may go, with a bounded answer, in bounded time, along no redirect."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from ipaddress import ip_address
from pathlib import Path

import pytest

from captchad.domain.address import IpAddress
from captchad.domain.callback import read_callback_host
from captchad.egress import http_post
from captchad.egress.dialer import CheckedDialer
from captchad.egress.http_post import HttpPoster, PostFailed
from captchad.egress.receiver_scope import ReceiverPolicy
from captchad.egress.resolver import Resolver
from captchad.egress.scope import EgressRefused
from captchad.runtime.clock import Clock
from captchad.sample_site.certificates import make_own_tls

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class FixedResolver(Resolver):
    """Gives every name the same address."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        super().__init__()
        self._address = ip_address(address)

    async def resolve(self, host: str, port: int) -> tuple[IpAddress, ...]:
        return (self._address,)


@asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def make_poster(
    *declared: str,
    private: tuple[str, ...] = (),
    seconds: float = 60.0,
    resolver: Resolver | None = None,
    protected: tuple[tuple[str, int], ...] = (),
) -> HttpPoster:
    policy = ReceiverPolicy([read_callback_host(one, private) for one in declared], protected)
    return HttpPoster(CheckedDialer(policy, resolver or Resolver(), Clock()), seconds)


def answering(*pieces: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return answer


async def test_a_request_arrives_as_it_was_sent() -> None:
    arrived: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        arrived.extend([head, await reader.readexactly(4)])
        writer.write(OK)
        writer.close()

    async with serving(answer) as port:
        url = f"http://localhost:{port}/a b/é?x=%2F&y=é".replace(" ", "%20")
        assert await make_poster("localhost").post(url, [("X-One", "1")], b"body") == 200
    head, body = arrived
    assert head.startswith(b"POST /a%20b/%C3%A9?x=%2F&y=%C3%A9 HTTP/1.1\r\n")
    assert f"Host: localhost:{port}\r\n".encode() in head
    assert b"Content-Length: 4\r\nConnection: close\r\nX-One: 1\r\n" in head
    assert body == b"body"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    reached: list[bool] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(True)
        writer.close()

    async with serving(note) as elsewhere:
        head = f"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        async with serving(answering(head.encode())) as port:
            assert await make_poster("127.0.0.1").post(f"http://127.0.0.1:{port}/", [], b"") == 307
    assert reached == []


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\n", *[b"X-Filler: " + b"x" * 60_000 + b"\r\n"] * 2000),
        (b"x" * 100_000,) * 1000,
        (b"HTTP/1.1 100 Continue\r\n\r\n",) * 100,
        (b"",),
        (b"HTTP/1.1 200",),
        (b"220 mail.example ESMTP\r\n\r\n",),
    ],
    ids=["endless head", "endless line", "interim answers", "nothing", "half a line", "another protocol"],
)
async def test_what_is_no_answer_fails(pieces: tuple[bytes, ...]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answering(*pieces)(reader, writer)
        except ConnectionError:
            return

    async with serving(answer) as port:
        with pytest.raises(PostFailed):
            await make_poster("127.0.0.1").post(f"http://127.0.0.1:{port}/", [], b"")


async def test_of_an_enormous_body_little_is_read() -> None:
    sent_bytes = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent_bytes += 65_536
        except ConnectionError:
            return

    async with serving(answer) as port:
        assert await make_poster("127.0.0.1").post(f"http://127.0.0.1:{port}/", [], b"") == 200
    # What the two sockets' buffers hold, at most.
    assert sent_bytes < 50_000_000


async def test_one_that_does_not_answer_is_given_up_in_time() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with serving(hang) as port:
        with pytest.raises(PostFailed, match=r"within 0\.5 s"):
            await make_poster("127.0.0.1", seconds=0.5).post(f"http://127.0.0.1:{port}/", [], b"")


async def test_a_name_that_leads_to_a_private_address_is_refused_unless_that_is_declared() -> None:
    async with serving(answering(OK)) as port:
        declared, url = f"n8n.example:{port}", f"http://n8n.example:{port}/"
        with pytest.raises(EgressRefused, match="https"):
            await make_poster(declared, resolver=FixedResolver()).post(url, [], b"")
        with pytest.raises(EgressRefused, match="private address"):
            await make_poster(declared, resolver=FixedResolver()).post(url.replace("http", "https"), [], b"")
        poster = make_poster(declared, private=("n8n.example",), resolver=FixedResolver())
        assert await poster.post(url, [], b"") == 200
        metadata = make_poster(declared, private=("n8n.example",), resolver=FixedResolver("169.254.169.254"))
        with pytest.raises(EgressRefused, match="metadata"):
            await metadata.post(url, [], b"")


async def test_captchads_own_ports_are_never_reached() -> None:
    async with serving(answering(OK)) as port:
        poster = make_poster("127.0.0.1", protected=(("localhost", port),))
        with pytest.raises(EgressRefused, match="never reachable"):
            await poster.post(f"http://127.0.0.1:{port}/", [], b"")


async def test_a_certificate_counts_where_an_authority_of_this_machine_vouches_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = make_own_tls("localhost", date.today())
    http_post._tls_context.cache_clear()
    async with serving(answering(OK), tls.context) as port:
        url = f"https://localhost:{port}/"
        with pytest.raises(PostFailed, match="no TLS"):
            await make_poster("localhost").post(url, [], b"")
        (tmp_path / "authority.pem").write_bytes(tls.authority_pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        http_post._tls_context.cache_clear()
        assert await make_poster("localhost").post(url, [], b"") == 200
    http_post._tls_context.cache_clear()
