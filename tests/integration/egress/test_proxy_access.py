"""What a context may ask the proxy for: everything in scope during a visit, nothing before or after it."""

import asyncio

from captchad.egress.proxy_access import ProxyAccess
from tests.integration.egress.network import Network, authorise
from tests.patience import PATIENCE_SECONDS


async def ask(network: Network, access: ProxyAccess) -> int:
    """Return the status that a context gets."""
    raw = f"GET {network.url()} HTTP/1.1\r\nConnection: close\r\nProxy-Authorization: {authorise(access)}\r\n\r\n"
    return int((await network.speak(raw.encode())).split()[1])


async def begin(network: Network, lines: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request of the network's own context, and return the connection without waiting for an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", network.proxy_port)
    writer.write(f"{lines}\r\nProxy-Authorization: {network.authorisation}\r\n\r\n".encode())
    return reader, writer


async def read_status(reader: asyncio.StreamReader) -> int:
    """Read one answer whole; return its status."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)).decode()
    length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
    await reader.readexactly(length)
    return int(head.split()[1])


async def read_rest(reader: asyncio.StreamReader) -> bytes:
    """Return what still comes; nothing where the connection was reset."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    except ConnectionError:
        return b""


async def test_serves_a_context_only_while_it_is_open(network: Network) -> None:
    access = await network.proxy.open_login()
    assert await ask(network, access) == 503
    access.open()
    assert await ask(network, access) == 200
    await access.cut()
    assert await ask(network, access) == 503
    assert access.refused == 2
    access.open()
    assert await ask(network, access) == 200
    access.close()
    assert await ask(network, access) == 407


async def test_a_tunnel_is_opened_only_while_the_context_is(network: Network) -> None:
    await network.access.cut()
    raw = f"CONNECT 127.0.0.1:{network.port} HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n"
    assert (await network.speak(f"{raw}Connection: close\r\n\r\n".encode())).startswith(b"HTTP/1.1 503 ")


async def test_what_is_under_way_is_cut_off_at_both_ends(network: Network) -> None:
    reader, writer = await begin(network, f"GET {network.url('/silence')} HTTP/1.1")
    await asyncio.wait_for(network.arrived.wait(), PATIENCE_SECONDS)
    await network.access.cut()
    assert await read_rest(reader) == b""
    await asyncio.wait_for(network.gone.wait(), PATIENCE_SECONDS)
    writer.close()


async def test_nothing_of_an_answer_arrives_once_it_is_cut_off(network: Network) -> None:
    arrived, answered = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await answered.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: late=1\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    network.declare("127.0.0.1", port)
    reader, writer = await begin(network, f"GET http://127.0.0.1:{port}/ HTTP/1.1")
    await asyncio.wait_for(arrived.wait(), PATIENCE_SECONDS)
    await network.access.cut()
    answered.set()
    network.access.open()
    assert await read_rest(reader) == b""
    writer.close()
    server.close()


async def test_a_tunnel_is_cut_off(network: Network) -> None:
    reader, writer = await begin(network, f"CONNECT 127.0.0.1:{network.port} HTTP/1.1")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    await network.access.cut()
    network.access.open()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert await read_rest(reader) == b""
    assert network.seen == []
    writer.close()


async def test_one_context_is_cut_off_and_others_are_not(network: Network) -> None:
    other = await network.proxy.open_login()
    other.open()
    _, writer = await begin(network, f"GET {network.url('/silence')} HTTP/1.1")
    await asyncio.wait_for(network.arrived.wait(), PATIENCE_SECONDS)
    await other.cut()
    assert not network.gone.is_set()
    assert network.proxy.open_connections == 1
    assert await ask(network, network.access) == 200
    writer.close()


async def test_a_connection_that_waits_for_its_next_request_is_kept(network: Network) -> None:
    reader, writer = await begin(network, f"GET {network.url()} HTTP/1.1")
    assert await read_status(reader) == 200
    await network.access.cut()
    lines = f"GET {network.url()} HTTP/1.1\r\nProxy-Authorization: {network.authorisation}\r\n\r\n".encode()
    writer.write(lines)
    assert await read_status(reader) == 503
    network.access.open()
    writer.write(lines)
    assert await read_status(reader) == 200
    writer.close()


async def test_a_port_whose_context_has_gone_is_anothers_and_closing_twice_does_no_harm(network: Network) -> None:
    first = await network.proxy.open_port()
    second = await network.proxy.open_port()
    assert first.address.url != second.address.url
    first.close()
    first.close()
    third, fourth = await network.proxy.open_port(), await network.proxy.open_port()
    assert third.address.url == first.address.url
    assert len({second.address.url, third.address.url, fourth.address.url}) == 3
    third.open()
    first.close()
    first.open()
    assert third.is_open
    assert not first.is_open
    assert network.proxy.contexts == 4
