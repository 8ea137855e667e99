"""What a real worker's /metrics says of its browsers, which Prometheus' alert on crashes is made of."""

import contextlib
from pathlib import Path

import psutil

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, list_tree, run_fleet


async def read_metrics(fleet: Fleet) -> list[str]:
    [worker] = [role for role in fleet.roles if role.role == "worker"]
    async with fleet.client.get(f"http://127.0.0.1:{worker.port}/metrics") as response:
        assert response.status == 200
        return (await response.text()).splitlines()


def find_browser(fleet: Fleet) -> psutil.Process | None:
    [worker] = [role for role in fleet.roles if role.role == "worker"]
    for process in list_tree(worker.process):
        # A process of the tree may end while one looks.
        with contextlib.suppress(psutil.NoSuchProcess):
            command = process.cmdline()
            if "--remote-debugging-pipe" in command and not any(part.startswith("--type=") for part in command):
                return process
    return None


async def test_a_browser_that_is_killed_counts_as_one_crash_even_while_redis_is_away(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "worker") as fleet:
        assert "captchad_browser_crashes_total 0" in await read_metrics(fleet)
        browser = find_browser(fleet)
        assert browser is not None
        own_redis.kill()
        browser.kill()

        async def is_replaced() -> bool:
            found = find_browser(fleet)
            return found is not None and found.pid != browser.pid

        await until(is_replaced)
        for _ in range(2):
            lines = await read_metrics(fleet)
            assert "captchad_browser_crashes_total 1" in lines
            assert "captchad_browser_recycles_total 0" in lines


async def test_every_recycled_browser_is_counted(tmp_path: Path, own_redis: RedisServer) -> None:
    settings = {"browser": {"recycle_pages": 1}}
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=settings) as fleet:
        fleet.site.gate.set()
        for number in range(2):
            await fleet.wait_final([await fleet.submit(f"v{number}")])

        async def are_counted() -> bool:
            return "captchad_browser_recycles_total 2" in await read_metrics(fleet)

        await until(are_counted)
        assert "captchad_browser_crashes_total 0" in await read_metrics(fleet)
