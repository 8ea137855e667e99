"""A Redis that answers and takes no writes, for longer than a lease: nothing is lost, and nothing runs hot."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis

from captchad.runtime.clock import Clock
from tests.redis_server import RedisServer
from tests.refusals import READ_ONLY, REFUSALS, Refusal, open_client
from tests.system.fleet import Fleet, run_fleet

pytestmark = pytest.mark.long

REFUSED_SECONDS = float(os.environ.get("CAPTCHAD_PROOF_OUTAGE_SECONDS", "8"))
"""Longer than a lease."""
SHORT_SECONDS = 3.0
BETWEEN_SECONDS = 2.0
MOST_LINES = 40
"""In all logs together: each role says once that writes are refused, and the worker what becomes of its attempts."""
MOST_COMMANDS_A_SECOND = 150
"""Some ten times those of an idle fleet; a loop without a pause sends thousands."""
MOST_CONNECTIONS_A_SECOND = 8
PAGES = 4


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    running = RedisServer(folder, version=request.param)
    running.start()
    yield running
    running.kill()


def count_lines(fleet: Fleet) -> int:
    return sum(len(role.log.splitlines()) for role in fleet.roles)


async def assert_completed_at_the_first_attempt(fleet: Fleet, task_ids: list[str]) -> None:
    answers = await fleet.wait_final(task_ids)
    assert [(answer["status"], answer["attempts"]) for answer in answers] == [("completed", 1)] * len(task_ids)
    assert await fleet.list_stream_entries() == 0


async def watch(client: "redis.Redis", fleet: Fleet) -> None:
    """Watch for longer than a lease that nothing runs hot."""
    clock = Clock()
    lines, before, began = count_lines(fleet), client.info("stats"), clock.monotonic_seconds()
    await asyncio.sleep(REFUSED_SECONDS)
    seconds, after = clock.monotonic_seconds() - began, client.info("stats")
    for name, most in (
        ("total_commands_processed", MOST_COMMANDS_A_SECOND),
        ("total_connections_received", MOST_CONNECTIONS_A_SECOND),
    ):
        assert (after[name] - before[name]) / seconds < most
    assert count_lines(fleet) - lines <= MOST_LINES
    for role in fleet.roles:
        assert role.process.poll() is None, role.log


@pytest.mark.parametrize(
    ("server", "refusals"),
    [("installed", REFUSALS), ("redis 6.2", [READ_ONLY]), ("valkey", [READ_ONLY])],
    indirect=["server"],
    ids=["installed", "redis 6.2", "valkey"],
)
async def test_refused_writes_cost_no_attempt_and_are_waited_out_quietly(
    tmp_path: Path, server: RedisServer, refusals: Sequence[Refusal]
) -> None:
    async with run_fleet(tmp_path, server.url, "gateway", "scheduler", "worker") as fleet:
        ids = [await fleet.submit(f"v{number}", retry_count=0) for number in range(PAGES)]
        for count, refusal in enumerate(refusals, start=1):
            await fleet.wait_processing(ids)
            with open_client(server) as client:
                refusal.begin(client, tmp_path / "redis")
                await watch(client, fleet)
                assert await fleet.status(ids[0])
                refusal.end(client, tmp_path / "redis")
            for role in fleet.roles:
                await fleet.wait_ready(role)
                assert role.log.count("takes no writes: ") == count, role.log
        fleet.site.gate.set()
        await assert_completed_at_the_first_attempt(fleet, ids)


@pytest.mark.parametrize("server", ["installed"], indirect=True)
async def test_refusals_shorter_than_a_lease_cost_no_attempt_either(tmp_path: Path, server: RedisServer) -> None:
    async with run_fleet(tmp_path, server.url, "gateway", "scheduler", "worker") as fleet:
        ids = [await fleet.submit(f"v{number}") for number in range(PAGES)]
        await fleet.wait_processing(ids)
        with open_client(server) as client:
            for _ in range(2):
                READ_ONLY.begin(client, tmp_path)
                await asyncio.sleep(SHORT_SECONDS)
                READ_ONLY.end(client, tmp_path)
                await asyncio.sleep(BETWEEN_SECONDS)
        fleet.site.gate.set()
        await assert_completed_at_the_first_attempt(fleet, ids)
