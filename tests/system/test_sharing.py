"""A batch goes to every worker that is idle."""

from collections import Counter
from pathlib import Path

from captchad.broker.address import open_clients
from captchad.config.settings import RedisSection
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, run_fleet

SLOTS = 14


async def wait_idle(fleet: Fleet, workers: int) -> None:
    """Wait until so many workers wait for tasks."""
    clients = open_clients(RedisSection(), "test", fleet.redis_url)

    async def are_waiting() -> bool:
        return bool(await clients.commands.hlen("captchad:{p00}:free_slots") == workers)

    await until(are_waiting)
    await clients.close()


async def test_a_batch_of_twelve_is_shared_by_three_idle_workers(tmp_path: Path, own_redis: RedisServer) -> None:
    roles = ("gateway", "scheduler", "worker", "worker", "worker")
    settings = {"worker": {"max_workers_per_node": SLOTS}}
    async with run_fleet(tmp_path, own_redis.url, *roles, settings=settings) as fleet:
        await wait_idle(fleet, 3)
        body = {"tasks": [{"url": fleet.site.url(f"v{number}")} for number in range(12)]}
        async with fleet.client.post(f"{fleet.gateway_url}/submit_batch", json=body) as response:
            ids = [task["task_id"] for task in (await response.json())["tasks"]]
        await fleet.wait_processing(ids)
        shares = Counter([(await fleet.status(task_id))["worker"] for task_id in ids])
        assert len(shares) == 3, shares
        fleet.site.gate.set()
        assert {answer["status"] for answer in await fleet.wait_final(ids)} == {"completed"}
