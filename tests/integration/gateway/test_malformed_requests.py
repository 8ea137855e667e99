"""A thousand malformed requests: each is answered with exactly the status and code its kind is listed with."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from captchad.broker.task_pages import TaskQuery
from tests.integration.gateway.conftest import RunningGateway
from tests.integration.gateway.malformed_requests import Kind, draw_requests
from tests.integration.gateway.requests_to_send import PAGE, MalformedRequest

REQUESTS = 1000
SEED = 20_260_101
SIDE_BY_SIDE = 8
CHUNK_BYTES = 65_536
UNSUPPORTED = "unsupported_media_type"


async def test_every_malformed_request_gets_its_listed_answer(gateway: RunningGateway) -> None:
    slots, wrong = asyncio.Semaphore(SIDE_BY_SIDE), []

    async def check(kind: Kind, request: MalformedRequest) -> None:
        async with slots:
            found = await exchange(gateway.port, request)
        if found != (kind.status, kind.code, "application/problem+json"):
            wrong.append(f"{kind.name}: {found} for {describe(request)}")

    async with asyncio.TaskGroup() as group:
        for kind, request in draw_requests(REQUESTS, SEED):
            group.create_task(check(kind, request))
    assert not wrong, f"{len(wrong)} are answered otherwise:\n" + "\n".join(wrong)
    assert (await gateway.store.list_page(TaskQuery())).tasks == ()
    assert await gateway.submit(), "the gateway still works"


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ("Content-Type: application/json\r\nContent-Encoding: identity\r\nContent-Encoding: gzip", 415, UNSUPPORTED),
        ("Content-Type: application/json\r\nContent-Encoding: identity, gzip", 415, UNSUPPORTED),
        ("Content-Type: application/json\r\nContent-Type: text/plain", 400, "invalid_request"),
        ("Content-Type: application/json\r\nExpect: x", 400, "invalid_request"),
        ("Content-Type: application/json\r\nContent-Encoding: Identity\r\nContent-Encoding: identity", 202, None),
    ],
)
async def test_a_caller_that_sends_no_more_is_answered_whatever_it_has_sent(
    gateway: RunningGateway, lines: str, status: int, code: str | None
) -> None:
    body = json.dumps({"url": PAGE})
    head = f"POST /submit_task HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{lines}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write((head + body).encode())
    writer.write_eof()
    answered, _, content = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    answer = json.loads(content)
    assert int(answered.split(b" ")[1]) == status
    assert answer.get("code") == code
    if code is not None:
        assert b"application/problem+json" in answered
        assert answer["request_id"].encode() in answered


async def exchange(port: int, request: MalformedRequest) -> tuple[int, str, str]:
    """Send a request as it is, since a client library would fix half of them; return status, code and content type."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(encode_head(port, request))
        try:
            async for piece in cut(request):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass  # answered and closed before all was sent
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {"code": body[:100].decode()}
    return int(status_line.split(" ")[1]), problem.get("code", "(none)"), headers.get("content-type", "(none)")


def encode_head(port: int, request: MalformedRequest) -> bytes:
    headers = {"Host": f"127.0.0.1:{port}", "Connection": "close"} | request.headers
    if request.is_chunked:
        headers["Transfer-Encoding"] = "chunked"
    elif request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def cut(request: MalformedRequest) -> AsyncIterator[bytes]:
    body = request.body or b""
    for start in range(0, len(body), CHUNK_BYTES):
        piece = body[start : start + CHUNK_BYTES]
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if request.is_chunked else piece
    if request.is_chunked:
        yield b"0\r\n\r\n"


def describe(request: MalformedRequest) -> str:
    return f"{request.method} {request.path[:200]} {request.headers} {(request.body or b'')[:200]!r}"
