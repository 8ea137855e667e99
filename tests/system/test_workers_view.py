"""What the gateway shows of a real worker with a real browser."""

from pathlib import Path
from typing import Any

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import run_fleet


async def test_the_workers_route_shows_each_workers_slots_and_browser(tmp_path: Path, own_redis: RedisServer) -> None:
    settings = {"worker": {"max_workers_per_node": 3}}
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=settings) as fleet:
        fleet.site.gate.set()
        await fleet.wait_final([await fleet.submit(f"v{number}") for number in range(2)])

        async def read_worker() -> dict[str, Any] | None:
            async with fleet.client.get(f"{fleet.gateway_url}/workers") as response:
                [worker] = (await response.json())["workers"]
            # A report follows the tasks by a third of a lease.
            return worker if worker["tasks_done"] == 2 and worker["busy"] == 0 else None

        worker = await until(read_worker)
        assert worker["browser_version"].partition(".")[0].isdigit()
        figures = {name: worker[name] for name in ("state", "slots", "pages_served", "recycled", "tasks_failed")}
        assert figures == {"state": "up", "slots": 3, "pages_served": 2, "recycled": 0, "tasks_failed": 0}
        assert worker["rss_bytes"] > 50_000_000
        assert (worker["details"]["browsers"], worker["details"]["crashes"]) == (1, 0)
