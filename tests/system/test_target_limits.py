"""A target's bounds hold over real workers: of pages at once, and of how long its site may have itself left alone."""

from datetime import datetime
from pathlib import Path

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, run_fleet


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


async def test_a_site_that_asks_for_an_hour_is_left_alone_as_long_as_the_operator_allows_or_until_he_reopens_it(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    roles = ("gateway", "scheduler", "worker")
    limits = {"longest_closure_seconds": 600}
    async with run_fleet(tmp_path, own_redis.url, *roles, target_limits=UNLIMITED | limits) as fleet:
        fleet.site.gate.set()
        fleet.site.retry_after_seconds = 3600
        task_id = await fleet.submit("v0")

        async def is_waiting_for_the_site() -> str | None:
            waiting = (await fleet.status(task_id)).get("waiting_for")
            is_closed = waiting is not None and waiting["reason"] == "target_closed"
            return str(waiting["until"]) if waiting is not None and is_closed else None

        until_text = await until(is_waiting_for_the_site)
        answer = await fleet.status(task_id)
        closed = datetime.fromisoformat(until_text) - datetime.fromisoformat(answer["started_at"])
        assert 0 < closed.total_seconds() < 3600
        assert answer["error"]["code"] == "http_error"
        body = {"url": fleet.site.url("v1")}
        async with fleet.client.post(f"{fleet.gateway_url}/submit_task", json=body) as response:
            later = await response.json()
        assert 1 < later["estimated_wait_time"] <= 700
        fleet.site.retry_after_seconds = None
        async with fleet.client.post(f"{fleet.gateway_url}/reopen_target/127.0.0.1") as response:
            assert (await response.json())["was_closed"]
        answers = await fleet.wait_final([task_id, later["task_id"]])
        assert [(one["status"], one["attempts"]) for one in answers] == [("completed", 2), ("completed", 1)]
