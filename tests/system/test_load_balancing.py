"""How gateways spread tasks over the broker's partitions."""

from pathlib import Path

from captchad.domain.identifier import read_partition
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, run_fleet


async def submit_batch(fleet: Fleet, port: int, count: int) -> list[int | None]:
    """Submit tasks that belong together to the gateway at `port`; return the partition of each."""
    body = {"tasks": [{"url": fleet.site.url("v")}] * count}
    async with fleet.client.post(f"http://127.0.0.1:{port}/submit_batch", json=body) as response:
        answer = await response.json(content_type=None)
        assert response.status == 202, answer
    return [read_partition(task["task_id"]) for task in answer["tasks"]]


async def test_a_gateway_avoids_the_partition_that_another_has_filled(tmp_path: Path, own_redis: RedisServer) -> None:
    settings = {"redis": {"partitions": 2}, "gateway": {"load_balancer": {"algorithm": "least_pending"}}}
    async with run_fleet(tmp_path, own_redis.url, "gateway", "gateway", settings=settings) as fleet:
        first, second = fleet.roles
        assert await submit_batch(fleet, first.port, 8) == [0] * 8
        assert [await submit_batch(fleet, second.port, 1) for _ in range(5)] == [[1]] * 5
