import asyncio
import json
import os
import socket

import pytest
from aiohttp import web

from captchad.domain.errors import ConfigurationError
from captchad.domain.ports import PORTS_OF_OTHERS
from captchad.web.server import Bind, WebServer, next_port


async def test_a_taken_port_is_an_error_that_names_it_and_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = WebServer(Bind(port=port), web.Application())
        with pytest.raises(ConfigurationError, match=rf"port {port} is taken by .*process {os.getpid()}"):
            await server.start()
        await server.close()


async def test_a_search_takes_the_next_free_port_upwards() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = WebServer(Bind(port=port, search_upwards=True), web.Application())
        await server.start()
        assert server.bound_port > port
        await server.close()


def test_a_search_passes_the_ports_of_other_roles() -> None:
    assert next_port(8079) == 8081
    assert next_port(9089) == 9092
    assert {next_port(port) for port in range(1000, 10_000)}.isdisjoint(PORTS_OF_OTHERS)
    with pytest.raises(ConfigurationError):
        next_port(65_535)


async def test_what_is_no_http_is_answered_with_problem_details() -> None:
    server = WebServer(Bind(), web.Application())
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
    writer.write(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await server.close()
    assert head.startswith(b"HTTP/1.0 400")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "invalid_request"
