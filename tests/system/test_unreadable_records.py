"""Records that a release can't read cost a fleet nothing but themselves."""

from pathlib import Path

from captchad.broker.address import open_clients
from captchad.config.settings import RedisSection
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import run_fleet


async def test_a_worker_leaves_a_newer_record_ends_a_damaged_one_and_serves_the_rest(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler") as fleet:
        newer, damaged, readable = [await fleet.submit(f"v{number}") for number in range(3)]
        clients = open_clients(RedisSection(), "test", own_redis.url)
        for task_id, request in ((newer, '{"version": 99}'), (damaged, '{"version": 1, "tar')):
            await clients.commands.hset(f"captchad:{{p00}}:task:{task_id}", "request", request)
        await clients.close()
        fleet.site.gate.set()
        [worker] = await fleet.start_ready("worker")
        ended, served = await fleet.wait_final([damaged, readable])
        assert (ended["status"], ended["error"]["code"]) == ("failed", "unreadable_record")
        assert (served["status"], served["attempts"]) == ("completed", 1)

        async def was_passed_on_twice() -> bool:
            return worker.log.count("left to a worker of a newer release") >= 2

        await until(was_passed_on_twice)
        assert worker.process.poll() is None
        left = await fleet.status(newer)
        assert (left["status"], left["attempts"]) in {("pending", 0), ("processing", 1)}
        async with fleet.client.get(f"{fleet.gateway_url}/tasks") as response:
            assert response.status == 200
            assert {task["task_id"] for task in (await response.json())["tasks"]} == {newer, damaged, readable}
