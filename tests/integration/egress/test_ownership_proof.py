"""Looking for a proof, by a real name server and a real https site on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from captchad.domain.address import IpAddress
from captchad.domain.proof import Look, ProofWay
from captchad.domain.target import Origin, Target
from captchad.egress.dialer import CheckedDialer, Streams
from captchad.egress.http_get import HttpGetter
from captchad.egress.ownership_proof import FILE_LIMIT_BYTES, ProofPolicy, ProofSeeker
from captchad.egress.txt_records import TxtRecords
from captchad.runtime.clock import Clock
from tests.certificates import issue, make_authority
from tests.integration.egress.test_http_post import FixedResolver
from tests.name_server import NameServer, serving_names

HOST = "captcha.example.com"
RECORD = f"_captchad.{HOST}"
TOKEN = "captchad-0123456789abcdef0123456789abcdef"
OTHER = "captchad-ffffffffffffffffffffffffffffffff"
SECONDS = 60.0
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class SiteDialer(CheckedDialer):
    """Leads to the test's site, as the internet would: its name has a public address that nobody here has."""

    def __init__(self, port: int) -> None:
        super().__init__(ProofPolicy(), FixedResolver("93.184.216.34"), Clock())
        self._port = port

    async def _connect_to_first(self, origin: Origin, addresses: tuple[IpAddress, ...]) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self._port)


@pytest.fixture
def names() -> Iterator[NameServer]:
    with serving_names() as names:
        yield names


@dataclass
class Site:
    """An https site with one answer; `requests` are the heads that came."""

    answer: bytes
    authority: str
    port: int
    requests: list[bytes]

    def target(self, host: str = HOST) -> Target:
        return Target(host, certificate_authorities=self.authority)


@asynccontextmanager
async def serving(folder: Path, answer: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    authority = make_authority(folder)
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    tls = context or issue(folder, authority, HOST).serve()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield Site(answer, authority.path, server.sockets[0].getsockname()[1], requests)
    finally:
        server.close()


def write_file(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


async def look(names: NameServer, target: Target, dialer: CheckedDialer) -> Look:
    getter = HttpGetter(dialer, SECONDS, FILE_LIMIT_BYTES, "captchad/0")
    return await ProofSeeker(TxtRecords([names.address], SECONDS), getter).look(target, TOKEN)


def nowhere() -> CheckedDialer:
    """A dialer under the real policy, whose resolver leads to this machine."""
    return CheckedDialer(ProofPolicy(), FixedResolver(), Clock())


@pytest.mark.parametrize("host", [HOST, f"*.{HOST}"])
async def test_a_txt_record_is_a_proof_also_among_others(names: NameServer, host: str) -> None:
    names.texts[RECORD] = ["v=spf1 -all", OTHER, TOKEN]
    assert (await look(names, Target(host), nowhere())).way is ProofWay.DNS
    assert names.asked == [RECORD]


async def test_a_file_is_a_proof_where_there_is_no_record(names: NameServer, tmp_path: Path) -> None:
    body = f"{OTHER}\r\n  {TOKEN}  \r\n".encode()
    async with serving(tmp_path, write_file(body)) as site:
        assert (await look(names, site.target(), SiteDialer(site.port))).way is ProofWay.HTTPS
        assert site.requests[0].startswith(b"GET /.well-known/captchad.txt HTTP/1.1\r\nHost: captcha.example.com\r\n")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"\ufeff{TOKEN}\r\n".encode(), id="with a byte order mark"),
        pytest.param(f"{TOKEN}\n".encode() + b" " * FILE_LIMIT_BYTES, id="at the beginning of too large a file"),
    ],
)
async def test_a_file_as_editors_leave_it_is_a_proof(names: NameServer, tmp_path: Path, body: bytes) -> None:
    async with serving(tmp_path, write_file(body)) as site:
        assert (await look(names, site.target(), SiteDialer(site.port))).way is ProofWay.HTTPS


async def test_a_token_is_found_behind_any_number_of_records(names: NameServer) -> None:
    names.texts[RECORD] = [*(f"somebody's={number}" for number in range(300)), TOKEN]
    assert (await look(names, Target(HOST), nowhere())).way is ProofWay.DNS


async def test_a_chunked_file_is_read_too(names: NameServer, tmp_path: Path) -> None:
    chunks = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
    answer = CHUNKED + chunks % (TOKEN[:5].encode(), len(TOKEN) - 5, TOKEN[5:].encode())
    async with serving(tmp_path, answer) as site:
        assert (await look(names, site.target(), SiteDialer(site.port))).way is ProofWay.HTTPS


@pytest.mark.parametrize(
    ("answer", "is_answer"),
    [
        (write_file(OTHER.encode()), True),
        (write_file(f"x{TOKEN} and more".encode()), True),
        (write_file(b" " * FILE_LIMIT_BYTES + TOKEN.encode()), False),
        (write_file(b" " * FILE_LIMIT_BYTES), True),
        (write_file(f"{TOKEN}-and-more".encode())[: -len("-and-more")], False),
        (write_file(OTHER.encode())[:-1], False),
        (CHUNKED + b"5\r\nwhole\r\n0\r\n\r\n", True),
        (CHUNKED + b"5\r\nwhole\r\n", False),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", True),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b" " * (FILE_LIMIT_BYTES + 1), False),
        (write_file(TOKEN.encode(), "404 Not Found"), True),
        (write_file(b"", "302 Found", "Location: https://elsewhere.example.com/captchad.txt\r\n"), True),
        (write_file(TOKEN.encode(), "503 Service Unavailable"), False),
        (write_file(b"", "429 Too Many Requests"), False),
        (b"", False),
        (b"HTTP/9 whatever\r\n\r\n", False),
    ],
)
async def test_what_a_site_answers_without_the_token_is_no_proof(
    names: NameServer, tmp_path: Path, answer: bytes, is_answer: bool
) -> None:
    async with serving(tmp_path, answer) as site:
        found = await look(names, site.target(), SiteDialer(site.port))
    assert found.way is None
    assert found.answered == ({ProofWay.DNS, ProofWay.HTTPS} if is_answer else {ProofWay.DNS})
    assert f"{RECORD} has no TXT record" in found.finding


async def test_a_certificate_that_the_target_does_not_trust_says_nothing(names: NameServer, tmp_path: Path) -> None:
    async with serving(tmp_path, write_file(TOKEN.encode())) as site:
        found = await look(names, Target(HOST), SiteDialer(site.port))
    assert found.way is None
    assert found.answered == {ProofWay.DNS}
    assert "no TLS with https://captcha.example.com:443" in found.finding


async def test_a_name_server_that_fails_says_nothing(names: NameServer) -> None:
    names.fails = True
    found = await look(names, Target(HOST), nowhere())
    assert (found.way, found.answered) == (None, frozenset())
    assert "no name server gave an answer" in found.finding


async def test_a_file_is_never_fetched_from_a_private_address(names: NameServer) -> None:
    found = await look(names, Target(HOST), nowhere())
    assert found.answered == {ProofWay.DNS}
    assert "127.0.0.1) is a private address" in found.finding


async def test_an_address_has_no_record(names: NameServer) -> None:
    found = await look(names, Target("93.184.216.34"), nowhere())
    assert (names.asked, found.way) == ([], None)
