"""Bodies that would be costly: refused before they are here, or worked on beside the event loop."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from captchad.broker.task_pages import TaskQuery
from captchad.config.settings import GatewaySection, RateLimitSection
from captchad.intake.session_scope import check_cookies
from captchad.web.api import tasks
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.patience import PATIENCE_SECONDS

MEBIBYTE = 1024 * 1024
PAGE = "http://captcha.example.com/"


async def send_beginning(gateway: RunningGateway, path: str, beginning: bytes, announced: int) -> tuple[int, Any]:
    """Announce a large body and send only its beginning; return the answer, which must come all the same."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    headers = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {announced}"
    writer.write(f"POST {path} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + beginning)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status = int((await reader.readuntil(b"\r\n")).split(b" ")[1])
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            [length] = [line for line in lines if line.startswith("content-length: ")]
            return status, json.loads(await reader.readexactly(int(length.split(" ")[1])))
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("path", "beginning", "pointer", "message"),
    [
        ("/submit_batch", b'{"tasks":[' + b"{}," * 200, "/tasks", "has more than 100 tasks"),
        ("/submit_batch", b'{"tasks":[{"metadata":{"a":[' + b"1," * 20_000, "/tasks/0", "has more than 10000 values"),
        ("/submit_task", b'{"metadata":{"a":[' + b"[]," * 20_000, "", "has more than 10000 values"),
    ],
)
async def test_a_body_of_too_much_structure_is_answered_before_the_rest_of_it_is_sent(
    gateway: RunningGateway, path: str, beginning: bytes, pointer: str, message: str
) -> None:
    status, problem = await send_beginning(gateway, path, beginning, 3 * MEBIBYTE)
    assert (status, problem["code"]) == (400, "invalid_request")
    assert problem["violations"] == [{"pointer": pointer, "message": message}]


@pytest.mark.parametrize(
    ("path", "beginning", "message"),
    [
        ("/submit_task", b'{"url":"http://a/"}}', "something follows its value"),
        ("/submit_batch", b']{"tasks":[', "it closes what it has not opened"),
    ],
)
async def test_a_body_that_can_not_become_json_is_answered_before_the_rest_of_it_is_sent(
    gateway: RunningGateway, path: str, beginning: bytes, message: str
) -> None:
    status, problem = await send_beginning(gateway, path, beginning, 3 * MEBIBYTE)
    assert (status, problem["code"], problem["detail"]) == (
        400,
        "invalid_request",
        f"the body is not valid JSON: {message}",
    )


async def test_a_batch_is_paid_for_as_one_task_before_it_is_read(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=1, burst_size=3))
    async with start_gateway(configure(limited)) as gateway:
        batches = [asyncio.create_task(send_beginning(gateway, "/submit_batch", b"{", 100)) for _ in range(4)]
        [refused], unfinished = await asyncio.wait(batches, return_when=asyncio.FIRST_COMPLETED)
        status, problem = refused.result()
        assert (status, problem["code"], len(unfinished)) == (429, "rate_limited", 3)
        for batch in unfinished:
            batch.cancel()
        await asyncio.wait(unfinished)


async def test_a_body_that_stops_coming_ends_its_request(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captchad.web.bodies.SILENCE_SECONDS", 0.05)
    status, problem = await send_beginning(gateway, "/submit_task", b'{"url":', 100)
    assert (status, problem["code"]) == (408, "request_timeout")


async def test_a_large_batch_is_checked_and_digested_beside_the_event_loop(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop_thread, threads = threading.get_ident(), set()

    def note(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            threads.add((function.__name__, threading.get_ident() == loop_thread))
            return function(*arguments)

        return noted

    for name in ("parse_json", "read_batch", "digest_body"):
        monkeypatch.setattr(tasks, name, note(getattr(tasks, name)))
    monkeypatch.setattr("captchad.intake.intake.check_cookies", note(check_cookies))
    cookies = [{"name": f"n{number}", "value": "v", "domain": "captcha.example.com"} for number in range(300)]
    batch = {"tasks": [{"url": PAGE, "session": {"cookies": cookies}}] * 20}
    async with gateway.session.post("/submit_batch", json=batch, headers={"Idempotency-Key": "large"}) as answer:
        assert answer.status == 202, await answer.text()
    assert threads == {(name, False) for name in ("parse_json", "read_batch", "digest_body", "check_cookies")}
    assert len((await gateway.store.list_page(TaskQuery(limit=50))).tasks) == 20
