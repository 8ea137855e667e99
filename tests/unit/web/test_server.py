import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from captchad.domain.errors import ConfigurationError
from captchad.domain.ports import PORTS_OF_OTHERS
from captchad.web import caller_connection
from captchad.web.caller_connection import HEADER_LIMIT_BYTES, HEADERS_LIMIT, URL_LIMIT_BYTES
from captchad.web.connections import ConnectionLimits
from captchad.web.server import Bind, WebServer, next_port
from tests.patience import PATIENCE_SECONDS, until_true

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
TURNS = 20


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


async def test_a_socket_that_systemd_holds_is_listened_at() -> None:
    held = socket.create_server(("127.0.0.1", 0))
    server = WebServer(Bind("127.0.0.1", 8080, inherited=held), web.Application())
    await server.start()
    assert server.bound_port == held.getsockname()[1]
    await server.close()


def test_a_search_passes_the_ports_of_other_roles() -> None:
    assert next_port(8079) == 8081
    assert next_port(9089) == 9092
    assert {next_port(port) for port in range(1000, 10_000)}.isdisjoint(PORTS_OF_OTHERS)
    with pytest.raises(ConfigurationError):
        next_port(65_535)


class Stage:
    """A server whose one route reads a body, and answers when it may."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.serving = 0
        application = web.Application()
        application.router.add_route("*", "/", self._answer)
        self.server = WebServer(Bind(), application, limits)
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def connections(self) -> int:
        return int(self.server.health().details["connections"])

    async def connect(self, content: bytes = b"", address: str = "127.0.0.1") -> asyncio.StreamReader:
        """Connect from a loopback address and send something; return what the answer is read from."""
        place = ("127.0.0.1", self.server.bound_port)
        reader, writer = await asyncio.open_connection(*place, local_addr=(address, 0))
        self._writers.append(writer)
        writer.write(content)
        # It is accepted and read in another turn of this very loop; the order in which they come counts here.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return reader

    def send_again(self, content: bytes) -> None:
        """Send more on the newest connection."""
        self._writers[-1].write(content)

    def send_no_more(self) -> None:
        """Close the newest connection in one direction."""
        self._writers[-1].write_eof()

    def hang_up(self) -> None:
        """Close the newest connection."""
        self._writers[-1].close()

    async def exchange(self, content: bytes) -> tuple[bytes, dict[str, str], bytes]:
        """Send something on a connection of its own; return status line, headers and body, read to its end."""
        head, _, body = (await (await self.connect(content)).read()).partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        return line, dict(one.decode().lower().split(": ", 1) for one in lines), body

    async def close(self) -> None:
        self.may_answer.set()
        for writer in self._writers:
            writer.close()
        await self.server.close()

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.serving += 1
        try:
            await self.may_answer.wait()
        finally:
            self.serving -= 1
        return web.Response(text="here")


@asynccontextmanager
async def run_stage(total: int = 100, per_address: int = 100) -> AsyncIterator[Stage]:
    stage = Stage(ConnectionLimits(total, per_address))
    await stage.server.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield stage
    finally:
        await stage.close()


async def test_what_is_no_http_is_answered_with_problem_details() -> None:
    async with run_stage() as stage:
        line, headers, body = await stage.exchange(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
    assert line.startswith(b"HTTP/1.0 400")
    assert headers["content-type"].startswith("application/problem+json")
    assert json.loads(body)["code"] == "invalid_request"


async def test_an_expectation_that_is_not_known_is_answered_with_problem_details() -> None:
    async with run_stage() as stage:
        line, headers, body = await stage.exchange(POST.replace(b"\r\n\r\n", b"\r\nExpect: x\r\n\r\n"))
    assert line.startswith(b"HTTP/1.1 400")
    assert headers["content-type"].startswith("application/problem+json")
    problem = json.loads(body)
    assert (problem["code"], problem["request_id"]) == ("invalid_request", headers["x-request-id"])
    assert "100-continue" in problem["detail"]


async def test_a_caller_that_sends_no_more_is_answered_all_that_it_has_asked() -> None:
    async with run_stage() as stage:
        stage.may_answer.clear()
        reader = await stage.connect(POST + b"0123456789" + GET)
        stage.send_no_more()
        await until_true(lambda: stage.serving == 1)
        stage.may_answer.set()
        answers = await reader.read()
        assert answers.count(b"HTTP/1.1 200 OK") == answers.count(b"here") == 2
        await until_true(lambda: stage.connections == 0)


@pytest.mark.parametrize("unfinished", [b"", GET[:-2], POST + b"01234"])
async def test_a_caller_that_sends_no_more_of_an_unfinished_request_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, unfinished: bytes
) -> None:
    monkeypatch.setattr(caller_connection, "HALF_CLOSED_SECONDS", 10 * PATIENCE_SECONDS)
    async with run_stage() as stage:
        reader = await stage.connect(unfinished)
        stage.send_no_more()
        assert await reader.read() == b""
        await until_true(lambda: stage.connections == 0)


@pytest.mark.parametrize(
    ("content", "status", "code", "limit"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "url_too_long", URL_LIMIT_BYTES),
        (GET[:-2] + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n", 431, "headers_too_large", HEADER_LIMIT_BYTES),
        # More than the server reads at once: what it leaves unread must not reset the answer away.
        (GET[:-2] + b"Cookie: " + b"a" * 5_000_000 + b"\r\n\r\n", 431, "headers_too_large", HEADER_LIMIT_BYTES),
        (GET[:-2] + b"X-A: a\r\n" * 200 + b"\r\n", 431, "headers_too_large", HEADERS_LIMIT),
    ],
)
async def test_what_is_too_large_for_http_is_answered_and_logged_by_its_kind(
    caplog: pytest.LogCaptureFixture, content: bytes, status: int, code: str, limit: int
) -> None:
    caplog.set_level(logging.INFO)
    async with run_stage() as stage:
        line, headers, body = await stage.exchange(content)
    problem = json.loads(body)
    assert line.split(b" ")[1] == str(status).encode()
    assert (problem["code"], problem["status"]) == (code, status)
    assert str(limit) in problem["detail"]
    assert problem["request_id"]
    assert headers["x-request-id"] == problem["request_id"]
    assert f"request {problem['request_id']} from 127.0.0.1 was refused: {problem['detail']}" in caplog.messages


async def test_a_head_that_does_not_come_in_time_ends_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.web.caller_connection.HEAD_SECONDS", 0.05)
    async with run_stage() as stage:
        assert await (await stage.connect()).read() == b"", "nothing was asked, so nothing is answered"
        line, _, body = await stage.exchange(GET[:-2])
        assert line.startswith(b"HTTP/1.0 408")
        assert json.loads(body)["code"] == "request_timeout"
        reader = await stage.connect(GET)
        await reader.readuntil(b"here")
        stage.send_again(GET[:-2])
        assert (await reader.read()).startswith(b"HTTP/1.0 408")


CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize("whole", [GET, POST + b"0123456789", CHUNKED, GET + POST + b"0123456789", CHUNKED + GET])
async def test_a_head_that_begins_with_the_request_before_it_must_come_in_time_too(
    whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.web.caller_connection.HEAD_SECONDS", 0.05)
    async with run_stage() as stage:
        reader = await stage.connect(whole + GET[:-2])
        assert b"HTTP/1.0 408" in await reader.read()
        stage.may_answer.clear()
        reader = await stage.connect(whole)
        await until_true(lambda: stage.serving == 1)
        stage.send_again(GET[:20])
        await asyncio.sleep(0.2)
        assert stage.serving == 1, "the answer under way is not cut off"
        stage.may_answer.set()
        assert b"HTTP/1.0 408" in await reader.read()


@pytest.mark.parametrize("whole", [GET, POST + b"0123456789", CHUNKED, GET + POST + b"0123456789", CHUNKED + GET])
async def test_a_connection_may_be_idle_after_any_kind_of_request(
    whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.web.caller_connection.HEAD_SECONDS", 0.05)
    async with run_stage() as stage:
        reader = await stage.connect(whole)
        await reader.readuntil(b"here")
        await asyncio.sleep(0.2)
        stage.send_again(GET[:-2] + b"Connection: close\r\n\r\n")
        answers = await reader.read()
        assert answers.endswith(b"here")
        assert b"HTTP/1.0 408" not in answers


async def test_a_connection_may_be_idle_between_requests_and_a_request_may_take_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("captchad.web.caller_connection.HEAD_SECONDS", 0.05)
    async with run_stage() as stage:
        stage.may_answer.clear()
        reader = await stage.connect(GET)
        await asyncio.sleep(0.2)
        stage.may_answer.set()
        assert (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.2)
        stage.send_again(GET)
        assert (await reader.readuntil(b"here")).lstrip().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("unfinished", [b"", GET[:-2], POST, POST + b"half"])
async def test_unfinished_requests_keep_nobody_out(unfinished: bytes) -> None:
    async with run_stage(total=5, per_address=5) as stage:
        waiting = [await stage.connect(unfinished) for _ in range(20)]
        line, _, body = await stage.exchange(GET[:-2] + b"Connection: close\r\n\r\n")
        assert (line.split(b" ")[1], body) == (b"200", b"here")
        assert stage.connections <= 5
        assert await waiting[0].read() == b""


async def test_what_is_being_answered_is_not_given_up_for_a_new_connection() -> None:
    async with run_stage(total=2, per_address=2) as stage:
        stage.may_answer.clear()
        first, second = await stage.connect(GET), await stage.connect(POST + b"0123456789")
        await until_true(lambda: stage.serving == 2)
        assert await (await stage.connect(GET)).read() == b"", "there is no room for a third"
        stage.may_answer.set()
        for reader in (first, second):
            assert (await reader.readuntil(b"here")).startswith(b"HTTP/1.1 200")
        assert (await (await stage.connect(GET)).readuntil(b"here")).startswith(b"HTTP/1.1 200")


async def test_one_address_can_not_take_the_place_of_the_others() -> None:
    async with run_stage(total=10, per_address=2) as stage:
        other = await stage.connect(address="127.0.0.2")
        mine = [await stage.connect(address="127.0.0.1") for _ in range(5)]
        assert [await reader.read() for reader in mine[:3]] == [b""] * 3
        assert stage.connections == 3
        assert not other.at_eof()


async def test_a_handler_ends_with_its_connection() -> None:
    async with run_stage() as stage:
        stage.may_answer.clear()
        await stage.connect(GET)
        await until_true(lambda: stage.serving == 1)
        stage.hang_up()
        await until_true(lambda: stage.serving == 0)
        await until_true(lambda: stage.connections == 0)
