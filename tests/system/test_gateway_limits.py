"""A real gateway at the limits of its process: no file descriptors left to take, and bodies made to cost it time."""

import asyncio
import contextlib
import io
import json
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp

from captchad.web.api.tasks import BATCH_BODY_LIMIT_BYTES
from captchad.web.body_room import ROOM_BYTES
from tests.patience import PATIENCE_SECONDS, until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, RoleProcess, run_fleet

MEBIBYTE = 1024 * 1024
OPEN_FILES = 400
HEAD = b"POST /submit_task HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UNFINISHED = (HEAD + b"X-A: a", HEAD + b"Content-Length: 100\r\n\r\n{", b"")


@contextlib.contextmanager
def limited_files(count: int) -> Iterator[None]:
    """Let what is started inside have so many open files at most."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.asynccontextmanager
async def run_gateway(folder: Path, redis_url: str, files: int) -> AsyncIterator[tuple[Fleet, RoleProcess]]:
    async with run_fleet(folder, redis_url) as fleet:
        with limited_files(files):
            gateway = fleet.start("gateway")
        await fleet.wait_ready(gateway)
        yield fleet, gateway


async def test_more_unfinished_connections_than_files_keep_nobody_out(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_gateway(tmp_path, own_redis.url, OPEN_FILES) as (fleet, gateway):
        writers = []
        for number in range(OPEN_FILES + 100):
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(UNFINISHED[number % len(UNFINISHED)])
            writers.append(writer)
        try:
            # A new caller: the connection that readiness was asked on has waited longest of all, and may be closed.
            await fleet.client.close()
            fleet.client = aiohttp.ClientSession()
            async with asyncio.timeout(PATIENCE_SECONDS):
                task_id = await fleet.submit("v1")
                assert (await fleet.status(task_id))["status"] == "pending"

                async def is_known() -> bool:
                    # What a role reports of itself goes on, too: it is not taken for lost.
                    async with fleet.client.get(f"{fleet.gateway_url}/readyz") as response:
                        return response.status == 200

                await until(is_known)
        finally:
            for writer in writers:
                writer.close()
        assert gateway.process.poll() is None, gateway.log
        assert "Traceback" not in gateway.log


async def test_a_batch_of_millions_of_tasks_costs_no_more_than_its_beginning(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    body = b'{"tasks":[' + b",".join([b"{}"] * (15 * MEBIBYTE // 3)) + b"]}"
    async with run_fleet(tmp_path, own_redis.url, "gateway") as fleet:
        url, headers = f"{fleet.gateway_url}/submit_batch", {"Content-Type": "application/json"}
        async with fleet.client.post(url, data=io.BytesIO(body), headers=headers) as response:
            assert response.status == 400
            problem = json.loads(await response.read())
        assert problem["violations"] == [{"pointer": "/tasks", "message": "has more than 100 tasks"}]
        async with fleet.client.get(f"{fleet.gateway_url}/metrics") as response:
            metrics = (await response.text()).splitlines()
        [used] = [line for line in metrics if line.startswith("captchad_process_cpu_seconds_total ")]
        print(f"the gateway has used {used.split()[1]} CPU seconds in all")


async def test_unfinished_bodies_fill_no_more_than_their_room_and_small_ones_need_none(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    piece = b'{"tasks":[{"metadata":{"a":"' + b"x" * (BATCH_BODY_LIMIT_BYTES - MEBIBYTE)
    head = b"POST /submit_batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with run_fleet(tmp_path, own_redis.url, "gateway") as fleet:

        async def send_large() -> str:
            """Return the code that a large body is answered with; it is not valid, but would be read."""
            headers = {"Content-Type": "application/json"}
            url = f"{fleet.gateway_url}/submit_batch"
            async with fleet.client.post(url, data=io.BytesIO(piece), headers=headers) as response:
                problem = json.loads(await response.read())
                assert (response.status == 503) == ("Retry-After" in response.headers)
                return str(problem["code"])

        writers = []

        async def begin_one() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", fleet.roles[0].port)
            writers.append(writer)
            writer.write(head + b"Content-Length: %d\r\n\r\n" % BATCH_BODY_LIMIT_BYTES + piece)
            await writer.drain()

        assert await send_large() == "invalid_request"
        try:
            for _ in range(ROOM_BYTES // len(piece) + 1):
                await begin_one()

            async def is_full() -> bool:
                if await send_large() == "overloaded":
                    return True
                # While it was answered it had room that one of those may have been refused for, and so is gone.
                await begin_one()
                return False

            await until(is_full)
            await fleet.submit("v1")
        finally:
            for writer in writers:
                writer.close()

        async def is_free() -> bool:
            return await send_large() == "invalid_request"

        await until(is_free)
