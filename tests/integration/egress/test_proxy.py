"""The filtering proxy as a client sees it, with real connections on loopback."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest

from captchad.domain.target import Target
from captchad.egress.chunk_decoder import CHUNK_COST_BYTES, CHUNKS_PER_STEP
from captchad.egress.scope import EgressRefused
from tests.integration.egress.network import LIMITS, Network
from tests.loop_turns import count_turns
from tests.patience import PATIENCE_SECONDS, until_true


async def test_passes_requests_to_a_declared_target(network: Network) -> None:
    assert await network.fetch(network.url("/a?b=|c|")) == (200, b"GET /a?b=%7Cc%7C", None)
    request = network.seen[0]
    assert request.headers["Host"] == f"127.0.0.1:{network.port}"
    assert not any(name.lower().startswith("proxy-") for name in request.headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_passes_bodies_both_ways(method: str, network: Network) -> None:
    body = bytes(range(256)) * 2000
    assert (await network.fetch(network.url("/x"), method, data=body))[0] == 200
    assert (await network.fetch(network.url("/x"), method, data=b"short", chunked=True))[0] == 200
    assert network.bodies == [body, b"short"]
    assert (await network.fetch(network.url("/chunked")))[1] == b"one" + b"x" * 200_000 + b"three"


async def test_passes_anything_through_a_tunnel(network: Network) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.proxy_port)
    place = f"127.0.0.1:{network.port}"
    writer.write(f"CONNECT {place} HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    writer.write(f"GET /tunnelled HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode())
    assert (await reader.read()).endswith(b"GET /tunnelled")
    writer.close()


async def test_many_requests_at_once(network: Network) -> None:
    answers = await asyncio.gather(*(network.fetch(network.url(f"/{number}")) for number in range(100)))
    assert [body for _, body, _ in answers] == [f"GET /{number}".encode() for number in range(100)]


async def test_refuses_what_is_not_declared_and_counts_it(network: Network) -> None:
    status, body, code = await network.fetch("http://127.0.0.1:9/")
    assert (status, code) == (403, "undeclared_port")
    assert b"not declared" in body
    assert (await network.fetch("http://other.example/"))[2] == "undeclared_host"
    assert network.proxy.refusal_counts == {"undeclared_port": 1, "undeclared_host": 1}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "forbidden_scheme"),
        ("view-source:http://127.0.0.1/", "forbidden_scheme"),
        ("javascript:alert(1)", "forbidden_scheme"),
        ("no address at all", "forbidden_scheme"),
        ("http://2130706433/", "invalid_destination"),
        ("http://user@127.0.0.1/", "invalid_destination"),
        ("http://other.example/", "undeclared_host"),
    ],
)
async def test_pages_that_may_not_be_opened_are_counted_before_any_connection(
    url: str, reason: str, network: Network
) -> None:
    with pytest.raises(EgressRefused):
        network.proxy.check_url(url)
    assert network.proxy.refusal_counts == {reason: 1}
    network.proxy.check_url(network.url())


async def test_every_request_of_a_kept_connection_is_judged_on_its_own(network: Network) -> None:
    lines = f"Proxy-Authorization: {network.authorisation}\r\n\r\n"
    targets = [network.url("/1"), "http://127.0.0.1:9/", network.url("/2"), "http://other.example/", network.url("/3")]
    raw = "".join(f"GET {target} HTTP/1.1\r\n{lines}" for target in targets).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", network.proxy_port)
    writer.write(raw)
    statuses = []
    for _ in targets:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        statuses.append(int(head.split()[1]))
        length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
        await reader.readexactly(length)
    writer.close()
    assert statuses == [200, 403, 200, 403, 200]
    assert [request.path for request in network.seen] == ["/1", "/2", "/3"]


async def test_a_name_is_resolved_once_and_only_its_checked_address_is_dialled(network: Network) -> None:
    network.declare("rebinding.example")
    network.resolver.answers["rebinding.example"] = [("127.0.0.1",), ("127.0.0.9",)]
    assert (await network.fetch(network.url("/", "rebinding.example")))[0] == 200
    assert network.resolver.asked == {"rebinding.example": 1}
    assert network.seen[0].headers["Host"] == f"rebinding.example:{network.port}"


async def test_a_public_name_that_leads_inside_is_refused(network: Network) -> None:
    network.policy.replace_targets([Target("public.example", (network.port,))])
    for answer, code in (
        ("127.0.0.1", "private_address"),
        ("169.254.169.254", "metadata_address"),
        ("::ffff:127.0.0.1", "private_address"),
    ):
        network.resolver.answers["public.example"] = [(answer,)]
        assert (await network.fetch(network.url("/", "public.example")))[2] == code
    assert network.seen == []


@pytest.mark.parametrize(
    "target", [Target("portal.example.com", (80,), allow_private_addresses=True), Target("shop.test", (80,))]
)
async def test_a_private_name_that_leads_to_a_public_address_is_refused(network: Network, target: Target) -> None:
    network.policy.replace_targets([target])
    network.resolver.answers[target.host] = [("93.184.216.34",)]
    status, body, code = await network.fetch(f"http://{target.host}/")
    assert (status, code) == (403, "public_address")
    assert b"waive the proof" in body
    assert network.proxy.refusal_counts == {"public_address": 1}


async def test_a_declared_host_without_a_proof_says_what_to_publish(network: Network) -> None:
    network.policy.replace_targets([Target("captcha.example.com", (80,))], {"captcha.example.com": "publish this"})
    status, body, code = await network.fetch("http://captcha.example.com/")
    assert (status, code) == (403, "unproven_target")
    assert b"publish this" in body


async def test_targets_replaced_at_run_time_count_at_once(network: Network) -> None:
    assert (await network.fetch(network.url()))[0] == 200
    network.policy.replace_targets(())
    assert (await network.fetch(network.url()))[2] == "undeclared_host"


async def test_the_proxy_never_connects_to_itself(network: Network) -> None:
    network.declare("127.0.0.1", network.proxy_port)
    assert (await network.fetch(network.access.address.url))[2] == "protected_endpoint"
    own_port = int((await network.proxy.open_port()).address.url.rsplit(":", 1)[1])
    network.declare("127.0.0.1", own_port)
    assert (await network.fetch(f"http://127.0.0.1:{own_port}/"))[2] == "protected_endpoint"


async def test_a_site_that_is_down_answers_as_unreachable(network: Network) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    network.declare("127.0.0.1", port)
    status, body, code = await network.fetch(f"http://127.0.0.1:{port}/")
    assert (status, code) == (502, "unreachable")
    assert str(port).encode() in body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_bad_gateway(answer: bytes, network: Network) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    network.declare("127.0.0.1", port)
    assert (await network.fetch(f"http://127.0.0.1:{port}/"))[0] == 502
    server.close()


async def test_a_body_that_breaks_off_is_not_passed_off_as_whole(network: Network) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    network.declare("127.0.0.1", port)
    raw = f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n"
    answer = await network.speak(raw.encode())
    assert not answer.endswith(b"0\r\n\r\n")
    server.close()


@pytest.mark.parametrize("head", [b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Content-Length: 2000001\r\n\r\n"])
async def test_a_body_without_end_is_cut_off(head: bytes, network: Network) -> None:
    async with serve_without_end(head) as port:
        network.declare("127.0.0.1", port)
        raw = f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n"
        answer = await network.speak(raw.encode())
    assert len(answer) < 2_300_000
    assert not answer.endswith(b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ") == head.startswith(b"Content-Length")


async def test_a_tunnel_that_never_stops_bringing_is_cut_off(network: Network) -> None:
    async with serve_without_end(b"\r\n") as port:
        network.declare("127.0.0.1", port)
        raw = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n"
        assert len(await network.speak(f"{raw}GET / HTTP/1.1\r\n\r\n".encode())) < 3_300_000
    assert network.proxy.open_connections == 0


async def test_chunks_of_one_byte_are_cut_off_and_hold_nobody_up(network: Network) -> None:
    async with serve_without_end(b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000) as port:
        network.declare("127.0.0.1", port)
        raw = f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n"
        with count_turns() as turns:
            answer = await network.speak(raw.encode())
    data = answer.count(b"x")
    assert CHUNKS_PER_STEP < data < LIMITS.body_limit_bytes // CHUNK_COST_BYTES
    assert turns.count >= data // CHUNKS_PER_STEP
    assert not answer.endswith(b"0\r\n\r\n")


async def test_requests_that_are_here_already_are_refused_one_in_a_turn(network: Network) -> None:
    with count_turns() as turns:
        answer = await network.speak(b"GET / HTTP/1.1\r\n\r\n" * 500 + b"GET / HTTP/1.0\r\n\r\n")
    assert answer.count(b"HTTP/1.1 407 ") == 501
    assert turns.count >= 500


async def test_a_request_with_a_chunked_body_is_its_connections_last(network: Network) -> None:
    lines = f"Proxy-Authorization: {network.authorisation}\r\n"
    body = "Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n\r\n"
    first = f"POST {network.url('/1')} HTTP/1.1\r\n{lines}{body}"
    answer = await network.speak(f"{first}GET {network.url('/2')} HTTP/1.1\r\n{lines}\r\n".encode())
    assert answer.count(b"HTTP/1.1 200 ") == answer.count(b"Connection: close") == 1
    assert (network.bodies, [request.path for request in network.seen]) == ([b"short"], ["/1"])


@contextlib.asynccontextmanager
async def serve_without_end(head: bytes, piece: bytes = b"ea60\r\n" + b"x" * 60_000 + b"\r\n") -> AsyncIterator[int]:
    """Serve an answer that goes on for ever, in chunks; gives the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n" + head)
            while True:
                writer.write(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_serves_none_but_its_own_browser(network: Network) -> None:
    for header in ("", "Proxy-Authorization: Basic eDp5\r\n", "Authorization: Basic eDp5\r\n"):
        for line in (f"GET {network.url()}", f"CONNECT 127.0.0.1:{network.port}"):
            answer = await network.speak(f"{line} HTTP/1.1\r\nConnection: close\r\n{header}\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 407 ")
    assert network.seen == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", b""),
        (b"GET / HTTP/1.1\r\nHost: a\r\nAUTH\r\n\r\n", b"HTTP/1.1 403 "),
        (b"GET https://a.example/ HTTP/1.1\r\nAUTH\r\n\r\n", b"HTTP/1.1 403 "),
        (b"GET file:///etc/passwd HTTP/1.1\r\nAUTH\r\n\r\n", b"HTTP/1.1 403 "),
        (b"CONNECT a.example HTTP/1.1\r\nAUTH\r\n\r\n", b"HTTP/1.1 403 "),
        (
            b"GET http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\nAUTH\r\n\r\n",
            b"HTTP/1.1 400 ",
        ),
        (b"GET http://a/ HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET http://a/ HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b"HTTP/1.1 400 "),
        (b"GET http://a/ HTTP/1.1\r\nA: b", b""),
    ],
)
async def test_odd_requests_are_answered_or_dropped(raw: bytes, status: bytes, network: Network) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.proxy_port)
    writer.write(raw.replace(b"AUTH", f"Proxy-Authorization: {network.authorisation}".encode()))
    if status:
        assert (await asyncio.wait_for(reader.read(len(status)), PATIENCE_SECONDS)) == status
    writer.close()
    assert (await network.fetch(network.url()))[0] == 200


async def test_a_browser_that_leaves_frees_the_site_it_waited_for(network: Network) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", network.proxy_port)
    lines = f"GET {network.url('/silence')} HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n"
    writer.write(lines.encode())
    await asyncio.wait_for(network.arrived.wait(), PATIENCE_SECONDS)
    assert network.proxy.open_connections == 1
    writer.close()
    await asyncio.wait_for(network.gone.wait(), PATIENCE_SECONDS)
    await until_true(lambda: network.proxy.open_connections == 0)


async def test_closing_ends_every_connection(network: Network) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.proxy_port)
    await network.fetch(network.url())
    assert network.proxy.health().is_ready
    await network.proxy.close()
    assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
    assert network.proxy.open_connections == 0
    assert not network.proxy.health().is_ready
    writer.close()


async def test_tls_inside_a_tunnel_is_left_alone(network: Network) -> None:
    with pytest.raises((ssl.SSLError, OSError)):
        await network.fetch(f"https://127.0.0.1:{network.port}/")
    assert network.proxy.refusal_counts == {}
