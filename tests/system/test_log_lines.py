"""A line of the log bears the task that it is about, and no other one."""

import json
from pathlib import Path
from typing import Any

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import RoleProcess, run_fleet
from tests.system.test_worker_metrics import find_browser


def read_lines(role: RoleProcess, words: str) -> list[dict[str, Any]]:
    """Return the lines that say so."""
    return [line for line in map(json.loads, role.log.splitlines()) if words in line["message"]]


async def test_lines_about_the_browser_and_redis_bear_no_task(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        worker = fleet.roles[-1]
        task_id = await fleet.submit("v0")
        await fleet.wait_visited("v0")
        browser = find_browser(fleet)
        assert browser is not None
        browser.kill()

        async def is_retried() -> bool:
            return fleet.site.visits.count("v0") == 2

        await until(is_retried)
        replaced = read_lines(worker, "is replaced")
        assert replaced
        assert not any("task_id" in line for line in replaced)
        assert {line.get("task_id") for line in read_lines(worker, "attempt 1: browser_crashed")} == {task_id}
        own_redis.kill()

        async def is_missed() -> bool:
            return bool(read_lines(worker, "does not answer"))

        await until(is_missed)
        assert not any("task_id" in line for line in read_lines(worker, "does not answer"))
