"""Planned failovers under load: what was answered with 202 is kept, and no end changes that somebody has seen.

A short form by default; `make prove-failover` runs it with twenty failovers for each number of acknowledgements.
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.patience import until
from tests.replicated_redis import ReplicatedRedis
from tests.sentinels import SentinelFleet
from tests.system.failover_proof.callers import SUBMITS_PER_SECOND, calling
from tests.system.fleet import run_fleet

FAILOVERS = int(os.environ.get("CAPTCHAD_PROOF_FAILOVERS", "1"))
SUBMITS = int(os.environ.get("CAPTCHAD_PROOF_SUBMITS", "120"))
LIMIT_SECONDS = 1200 + 300 * FAILOVERS
MOST_LOST = {0: FAILOVERS * SUBMITS_PER_SECOND // 2, 1: 2, 2: 0}
"""Of two replicas none has acknowledged, and what a demoted master took in for half a second is lost; or one has, and
the other is promoted; or both have."""


@pytest.mark.timeout(LIMIT_SECONDS)
@pytest.mark.parametrize("acknowledgements", sorted(MOST_LOST, reverse=True))
async def test_what_callers_were_told_outlives_planned_failovers(
    tmp_path: Path, sentinels: SentinelFleet, acknowledgements: int
) -> None:
    redis = {"sentinel": {"hosts": list(sentinels.hosts)}, "min_replicas_acknowledged": acknowledgements}
    roles = ("gateway", "scheduler", "worker")
    async with run_fleet(tmp_path, "", *roles, settings={"redis": redis}) as fleet, calling(fleet) as callers:
        for number in range(1, FAILOVERS + 1):
            await callers.wait_accepted(number * SUBMITS // (FAILOVERS + 1))
            before = await asyncio.to_thread(sentinels.order_failover)
            await asyncio.to_thread(sentinels.wait_failed_over, before)
            # The next one needs two replicas to choose from; until then the demoted master is none.
            await asyncio.to_thread(sentinels.wait_replicas)
        await callers.wait_accepted(SUBMITS)
        await callers.stop()
        broken = await callers.compare()
    figures = {
        "acknowledgements": acknowledgements,
        "failovers": FAILOVERS,
        "accepted": len(callers.accepted),
        "refused": callers.refused,
        "finals_seen": len(callers.finals),
        "lost": len(broken.lost),
        "changed": len(broken.changed),
    }
    print(json.dumps(figures))
    assert len(broken.lost) <= MOST_LOST[acknowledgements], figures
    assert len(broken.changed) <= MOST_LOST[acknowledgements], broken.changed


async def test_an_end_that_its_worker_could_not_confirm_is_confirmed_when_the_worker_is_dead(tmp_path: Path) -> None:
    servers = ReplicatedRedis(tmp_path)
    settings = {"redis": {"min_replicas_acknowledged": 1}}
    try:
        servers.start()
        roles = ("gateway", "scheduler", "worker")
        async with run_fleet(tmp_path, servers.url, *roles, settings=settings) as fleet:
            task_id = await fleet.submit("unconfirmed")
            await fleet.wait_visited("unconfirmed")
            with servers.holding_replica_back():
                fleet.site.gate.set()

                async def is_written() -> bool:
                    return await servers.read_stored_status(task_id) == "unconfirmed"

                await until(is_written)
                shown = await fleet.status(task_id)
                assert (shown["status"], shown["result"]) == ("processing", None)
                fleet.roles[-1].kill()
                assert await fleet.status(task_id) == shown
            [answer] = await fleet.wait_final([task_id])
            assert (answer["status"], answer["attempts"]) == ("completed", 1)
            assert await fleet.list_stream_entries() == 0
    finally:
        servers.stop()
