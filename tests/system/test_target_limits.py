"""A target's bound holds over real workers, and a slot comes back from one that was killed."""

from pathlib import Path

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import run_fleet


async def test_one_page_at_a_time_over_two_workers_one_of_which_is_killed(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    roles = ("gateway", "scheduler", "worker")
    async with run_fleet(tmp_path, own_redis.url, *roles, target_limits={"max_concurrent": 1}) as fleet:
        [holder] = [role for role in fleet.roles if role.role == "worker"]
        first = await fleet.submit("v0")
        await fleet.wait_visited("v0")
        await fleet.start_ready("worker")
        others = [await fleet.submit(f"v{number}", retry_count=0) for number in range(1, 4)]

        async def are_waiting() -> bool:
            async with fleet.client.get(f"{fleet.gateway_url}/queue_status") as response:
                figures = (await response.json())["per_target"]["127.0.0.1"]
                return bool(figures["deferred"] == len(others))

        await until(are_waiting)
        assert fleet.site.visits == ["v0"]
        holder.kill()

        async def is_visited_again() -> bool:
            return len(fleet.site.visits) == 2

        await until(is_visited_again)
        fleet.site.gate.set()
        answers = await fleet.wait_final([first, *others])
        assert [answer["status"] for answer in answers] == ["completed"] * 4
        assert [answer["attempts"] for answer in answers[1:]] == [1, 1, 1]
        assert await fleet.list_stream_entries() == 0
