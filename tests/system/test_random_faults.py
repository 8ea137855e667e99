"""Rounds of random faults under load: nothing is lost, no end changes, and the counters equal the records.

A short form by default; `make prove-faults` runs thirty rounds. Each prints its seed, for CAPTCHAD_PROOF_SEED.
"""

import json
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis import asyncio as asyncio_redis

from tests.patience import until
from tests.redis_server import RedisServer
from tests.sentinels import SentinelFleet
from tests.system.failover_proof.callers import Callers, calling
from tests.system.fault_proof.books import find_errors
from tests.system.fault_proof.faults import strike
from tests.system.fault_proof.ground import Ground
from tests.system.fleet import run_fleet

pytestmark = pytest.mark.long

ROUNDS_OF_EACH = max(1, int(os.environ.get("CAPTCHAD_PROOF_ROUNDS", "2")) // 2)
SEED = int(os.environ.get("CAPTCHAD_PROOF_SEED", "0")) or secrets.randbelow(10**6)
LIMIT_SECONDS = 1200 + 120 * 2 * ROUNDS_OF_EACH
ACCEPTED_BEFORE, ACCEPTED_AFTER = 40, 40
ROLES = ("gateway", "scheduler", "worker")


@asynccontextmanager
async def one_server(folder: Path) -> AsyncIterator[Ground]:
    server = RedisServer(folder)
    server.start()
    try:
        async with run_fleet(folder, server.url, *ROLES) as fleet:
            yield Ground(fleet, [server])
    finally:
        server.kill()


@asynccontextmanager
async def three_servers(folder: Path) -> AsyncIterator[Ground]:
    sentinels = SentinelFleet(folder)
    try:
        sentinels.start()
        section = {"sentinel": {"hosts": list(sentinels.hosts)}, "min_replicas_acknowledged": 2}
        async with run_fleet(folder, "", *ROLES, settings={"redis": section}) as fleet:
            yield Ground(fleet, sentinels.servers, sentinels)
    finally:
        sentinels.stop()


async def find_broken(ground: Ground, callers: Callers) -> list[str]:
    broken = await callers.compare()
    errors = [f"{task_id} is lost" for task_id in broken.lost]
    errors += [f"{seen} has become {stored}" for seen, stored in broken.changed.values()]
    async with asyncio_redis.Redis(port=(await ground.find_master()).port) as client:

        async def agree() -> bool:
            return not await find_errors(client)

        try:
            await until(agree, within_seconds=30)
        except TimeoutError:
            errors += await find_errors(client)
    return errors


@pytest.mark.timeout(LIMIT_SECONDS)
@pytest.mark.parametrize("open_ground", [one_server, three_servers])
async def test_random_faults_break_no_promise(tmp_path: Path, open_ground) -> None:  # type: ignore[no-untyped-def]
    async with open_ground(tmp_path) as ground:
        for seed in range(SEED, SEED + ROUNDS_OF_EACH):
            async with calling(ground.fleet) as callers:
                await callers.wait_accepted(ACCEPTED_BEFORE)
                await strike(ground, seed)
                await callers.wait_accepted(len(callers.accepted) + ACCEPTED_AFTER)
                await callers.stop()
                errors = await find_broken(ground, callers)
            ends = Counter(final["status"] for final in callers.finals.values())
            errors_seen = Counter(final["error"]["code"] for final in callers.finals.values() if "error" in final)
            figures = {"ground": open_ground.__name__, "seed": seed, "faults": ground.struck}
            print(json.dumps(figures | {"refused": callers.refused, "ends": ends, "errors": errors_seen}))
            assert not errors, (figures, errors)
