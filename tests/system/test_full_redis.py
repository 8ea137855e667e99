"""A Redis whose memory is full: new tasks are refused with the reason, everything else goes on."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from captchad.broker.leases import LEADER_LEASE_SECONDS
from tests.patience import PATIENCE_SECONDS, until
from tests.redis_server import RedisServer
from tests.refusals import fill_memory, make_room, open_client
from tests.system.fleet import Fleet, run_fleet

ONE_PAGE_AT_A_TIME = {"max_per_minute": 1_000_000, "max_concurrent": 1}


async def read_json(fleet: Fleet, port: int, path: str) -> dict[str, Any]:
    async with fleet.client.get(f"http://127.0.0.1:{port}{path}") as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        return answer


async def test_a_full_redis_refuses_new_tasks_and_lets_all_others_end(tmp_path: Path, own_redis: RedisServer) -> None:
    limits = {"gateway": {"rate_limit": {"enabled": True, "requests_per_minute": 100_000, "burst_size": 10_000}}}
    roles = ("gateway", "scheduler", "worker")
    options = {"settings": limits, "target_limits": ONE_PAGE_AT_A_TIME}
    async with run_fleet(tmp_path, own_redis.url, *roles, **options) as fleet:
        gateway, scheduler, _ = fleet.roles
        ids = [await fleet.submit(f"v{number}") for number in range(4)]
        await fleet.wait_visited("v0")
        with open_client(own_redis) as client:
            fill_memory(client)
            body = {"url": fleet.site.url("refused")}
            async with fleet.client.post(f"{fleet.gateway_url}/submit_task", json=body) as response:
                problem = await response.json(content_type=None)
            assert (response.status, problem["code"]) == (503, "broker_unavailable")
            assert problem["detail"] == "Redis is full: its memory has reached maxmemory"
            assert "task_id" not in problem

            async def says_so() -> bool:
                services = (await read_json(fleet, scheduler.port, "/health"))["services"]
                return "Redis is full" in services["broker"]["reason"]

            await until(says_so)
            # Longer than the lease that it holds.
            await asyncio.sleep(2 * LEADER_LEASE_SECONDS)
            health = await read_json(fleet, scheduler.port, "/health")
            assert health["services"]["leadership"]["details"]["is_active"]
            assert health["status"] == "ok"
            assert (await read_json(fleet, gateway.port, "/readyz"))["status"] == "ok"
            said = await asyncio.to_thread(run_health, fleet)
            assert said.returncode == 1
            [redis_line] = [line for line in json.loads(said.stdout)["lines"] if line["what"] == "redis"]
            assert redis_line["remark"].startswith("Redis is full")
            fleet.site.gate.set()
            answers = await fleet.wait_final(ids)
            assert [answer["status"] for answer in answers] == ["completed"] * 4
            make_room(client)
        await fleet.wait_final([await fleet.submit("again")])
        assert scheduler.log.count("is full: ") == 1


def run_health(fleet: Fleet) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "captchad", "health", "--json", "--config", str(fleet.folder / "config.json")]
    environment = os.environ | {"REDIS_URL": fleet.redis_url}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
