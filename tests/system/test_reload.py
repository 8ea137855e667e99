"""SIGHUP on real roles: what it takes over, and what it says."""

import json
import signal
from pathlib import Path
from typing import Any

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, RoleProcess, run_fleet

DONE = "configuration reloaded: "


async def reload(fleet: Fleet, role: RoleProcess, changes: dict[str, Any]) -> list[str]:
    """Change the configuration, reload a role, and return what it logged about that; the summary is last."""
    path = fleet.folder / "config.json"
    settings = json.loads(path.read_text())
    for section, members in changes.items():
        settings[section] = settings.get(section, {}) | members
    path.write_text(json.dumps(settings))
    before = len(role.log.splitlines())
    role.signal(signal.SIGHUP)

    async def read_report() -> list[str] | None:
        # The last line may be written only in part.
        *lines, _ = role.log.split("\n")
        messages = [json.loads(line)["message"] for line in lines[before:]]
        return messages if messages and messages[-1].startswith(DONE) else None

    return list(await until(read_report))


async def read_configuration(fleet: Fleet, role: RoleProcess) -> dict[str, Any]:
    async with fleet.client.get(f"http://127.0.0.1:{role.port}/status/config") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_a_reload_says_and_shows_what_is_in_force_each_time(tmp_path: Path, own_redis: RedisServer) -> None:
    changes = {"gateway": {"queue_limit": 7}, "worker": {"task_timeout": 60}}
    async with run_fleet(tmp_path, own_redis.url, "gateway") as fleet:
        [gateway] = fleet.roles
        waiting = (
            "worker.task_timeout is 60.0 in the configuration, but 120 stays in force until this role is restarted"
        )
        assert await reload(fleet, gateway, changes) == [waiting, f"{DONE}gateway.queue_limit is now 7"]
        shown = await read_configuration(fleet, gateway)
        assert (shown["gateway"]["queue_limit"], shown["worker"]["task_timeout"]) == (7, 120)
        nothing = f"{DONE}nothing that a reload takes over has changed"
        assert await reload(fleet, gateway, changes) == [waiting, nothing]
        restored = {"worker": {"task_timeout": 120}}
        assert await reload(fleet, gateway, restored) == [f"{DONE}nothing has changed"]


async def test_a_reload_tells_that_the_next_start_would_fail(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway") as fleet:
        [gateway] = fleet.roles
        told = await reload(fleet, gateway, {"gateway": {"processes": 2}})
        assert told[1].startswith("with this configuration the next start fails: gateway.processes: more than one")
        assert (await read_configuration(fleet, gateway))["gateway"]["processes"] == 1
