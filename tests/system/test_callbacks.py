"""Callbacks of real roles: each is delivered at least once, whoever dies, only where it may go, and rightly signed.

A short form by default; `make prove-callbacks` sends a thousand and kills the scheduler ten times.
"""

import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from captchad.broker.address import open_clients
from captchad.broker.connection import Broker
from captchad.broker.consumer import Consumer
from captchad.client.callbacks import verify_callback
from captchad.config.settings import RedisSection
from tests.integration.protocol import DEAD_LETTER_LIMITS, completed, failed_for_good
from tests.patience import until, until_true
from tests.ports import find_free_port
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, run_fleet
from tests.system.older_release import unpack_older_release

CALLBACKS = int(os.environ.get("CAPTCHAD_PROOF_CALLBACKS", "60"))
SCHEDULER_KILLS = int(os.environ.get("CAPTCHAD_PROOF_SCHEDULER_KILLS", "2"))
LIMIT_SECONDS = 300 + CALLBACKS + 60 * SCHEDULER_KILLS
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@contextmanager
def receiving(port: int, journal: Path, elsewhere: str) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = [str(port), str(journal), elsewhere]
    process = subprocess.Popen([sys.executable, "-m", "tests.system.callback_proof.receiver", *arguments])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_journal(journal: Path) -> list[dict[str, Any]]:
    # A kill may leave half a line at the end.
    lines = journal.read_text().splitlines() if journal.exists() else []
    found = []
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


@asynccontextmanager
async def listening_elsewhere(visits: list[str]) -> AsyncIterator[str]:
    """Run a server that nothing may reach; it is redirected to."""

    async def note(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response()

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", note)
    runner, port = web.AppRunner(application), find_free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.2", port).start()
    yield f"http://127.0.0.2:{port}/"
    await runner.cleanup()


async def end_tasks(redis_url: str, number: int) -> None:
    """End tasks as a worker does, every tenth as failed."""
    broker = Broker(RedisSection(), "test", url_override=redis_url)
    await broker.start()
    worker = Consumer(broker, broker.partitions[0], "w", "w.1", DEAD_LETTER_LIMITS)
    ended = 0
    while ended < number:
        deliveries = await worker.take(20)
        outcomes = [
            failed_for_good(one) if (ended + index) % 10 == 0 else completed(one)
            for index, one in enumerate(deliveries)
        ]
        await worker.settle(outcomes)
        ended += len(deliveries)
    await broker.close()


def make_settings(port: int, fleet_port: int) -> dict[str, Any]:
    target = {"host": "127.0.0.1", "ports": [fleet_port], "allow_private_addresses": True}
    return {
        "gateway": {"rate_limit": {"enabled": False}},
        "scheduler": {"callback_longest_pause_seconds": 1},
        "security": {
            "targets": [target],
            "callback_hosts": [f"127.0.0.1:{port}"],
            "callback_secret": SECRET,
        },
    }


def check_journal(entries: list[dict[str, Any]]) -> set[str]:
    """Check every request, also of those that were answered with a failure; return whose was accepted."""
    accepted = set()
    for entry in entries:
        headers, body = entry["headers"], base64.b64decode(entry["body"])
        named = {name.lower(): value for name, value in headers.items()}
        task = verify_callback(SECRET, headers, body, now=int(named["webhook-timestamp"]))
        assert task["task_id"] == named["webhook-id"]
        assert task["status"] in {"completed", "failed", "cancelled"}
        if entry["answer"] == "ok":
            accepted.add(task["task_id"])
    return accepted


async def kill_schedulers(fleet: Fleet, journal: Path, task_ids: list[str]) -> None:
    """Kill the active scheduler again and again, each time once some more callbacks have come."""
    for kill in range(SCHEDULER_KILLS):
        wanted = len(task_ids) * (kill + 1) // (SCHEDULER_KILLS + 1)
        await until_true(lambda wanted=wanted: len(read_journal(journal)) >= wanted)  # type: ignore[misc]
        [scheduler] = [role for role in fleet.roles if role.role == "scheduler" and role.process.poll() is None]
        scheduler.kill()
        await fleet.start_ready("scheduler")


async def test_a_task_that_an_older_gateway_ends_is_called_back_too(tmp_path: Path, own_redis: RedisServer) -> None:
    port, journal = find_free_port(), tmp_path / "journal"
    settings = make_settings(port, find_free_port())
    older = unpack_older_release(tmp_path / "older")
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", settings=settings) as fleet:
        page = f"http://127.0.0.1:{settings['security']['targets'][0]['ports'][0]}/"
        task_id = await fleet.submit("v", url=page, callback_url=f"http://127.0.0.1:{port}/done")
        # It knows none of the new settings.
        (tmp_path / "config.json").write_text(json.dumps({"security": {"targets": settings["security"]["targets"]}}))
        gateway = fleet.start("gateway", source=older)
        await fleet.wait_ready(gateway)
        async with fleet.client.post(f"http://127.0.0.1:{gateway.port}/cancel_task/{task_id}") as response:
            assert response.status == 200
        client = open_clients(RedisSection(), "test", own_redis.url).commands
        # As if the minute had passed after which the scheduler looks at the record.
        await client.zadd("captchad:{p00}:callbacks_due:127.0.0.1", {task_id: 0})
        with receiving(port, journal, "http://127.0.0.2:1/"):
            await until_true(lambda: check_journal(read_journal(journal)) == {task_id})
        await client.aclose()


@pytest.mark.timeout(LIMIT_SECONDS)
async def test_every_callback_is_delivered_though_receiver_and_scheduler_die(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    port, journal, strays = find_free_port(), tmp_path / "journal", list[str]()
    async with listening_elsewhere(strays) as elsewhere:
        settings = make_settings(port, find_free_port())
        async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", settings=settings) as fleet:
            place = f"http://127.0.0.1:{port}/done"
            page = f"http://127.0.0.1:{settings['security']['targets'][0]['ports'][0]}/"
            task_ids = [await fleet.submit("v", url=page, callback_url=place) for _ in range(CALLBACKS)]
            cancelled = task_ids[-1]
            async with fleet.client.post(f"{fleet.gateway_url}/cancel_task/{cancelled}") as response:
                assert response.status == 200
            ending = asyncio.ensure_future(end_tasks(own_redis.url, CALLBACKS - 1))
            with receiving(port, journal, elsewhere):
                await kill_schedulers(fleet, journal, task_ids)
            await ending
            # Killed above, with requests under way; what comes meanwhile finds nobody.
            with receiving(port, journal, elsewhere):

                async def are_all_accepted() -> bool:
                    return check_journal(read_journal(journal)) == set(task_ids)

                await until(are_all_accepted, within_seconds=LIMIT_SECONDS)
                task = await fleet.status(task_ids[0])
        bodies = [json.loads(base64.b64decode(entry["body"])) for entry in read_journal(journal)]
        assert task in bodies
        assert {body["status"] for body in bodies} == {"completed", "failed", "cancelled"}
        answers = {entry["answer"] for entry in read_journal(journal)}
        assert answers == {"ok", "error", "redirect", "break_off", "enormous"}
        print(f"{CALLBACKS} callbacks, {len(bodies)} requests, {SCHEDULER_KILLS} schedulers killed")
    assert strays == []
