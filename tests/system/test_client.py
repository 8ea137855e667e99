"""The Python client against real roles, with the gateway killed and started again while it waits."""

import asyncio
from pathlib import Path

import pytest

from captchad.client import AsyncCaptchad, Captchad, Progress, TaskFailed, errors
from captchad.domain.task import TaskStatus
from captchad.testing.reading import read
from captchad.testing.session import storage_state
from tests.redis_server import RedisServer
from tests.system.fleet import run_fleet


async def test_pages_and_pictures_come_back_as_values(tmp_path: Path, own_redis: RedisServer) -> None:
    environment = {"CAPTCHAD_SECURITY__SESSION_KEY": "k" * 44}
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", environment=environment) as fleet:
        fleet.site.gate.set()
        client, blocking = AsyncCaptchad(fleet.gateway_url, target="127.0.0.1"), Captchad(fleet.gateway_url)
        solution = await client.solve(fleet.site.url("one"), return_session=True, evidence=True)
        # What the engine reads: it may take a letter for another, and that is no fault of the client.
        reading = read(fleet.site.pictures["one"])
        assert (solution.text, solution.verified) == (reading.text, None)
        assert solution.confidence == pytest.approx(reading.confidence, abs=0.01)
        assert storage_state(solution).keys() == {"cookies", "origins"}
        picture = await client.evidence(solution)
        assert picture == fleet.site.pictures["one"]
        assert (await client.solve(picture)).text == solution.text
        report = await client.report(solution, right=True)
        assert (report.is_kept, report.reason) == (False, "not_collected")

        # The blocking client in a thread: the site is on this loop.
        seen: list[Progress] = []
        tasks = await asyncio.to_thread(blocking.batch, [fleet.site.url(f"page-{one}") for one in range(5)])
        ended = await asyncio.to_thread(lambda: list(blocking.as_completed(tasks, seen.append)))
        assert {task.status for task in ended} == {TaskStatus.COMPLETED}
        assert [(one.ended, one.total) for one in seen] == [(number, 5) for number in range(1, 6)]
        stats = await asyncio.to_thread(blocking.stats)
        assert (stats.active_workers, stats.completed_tasks) == (1, 7)


async def test_a_gateway_that_starts_again_costs_a_waiting_client_nothing(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        client = AsyncCaptchad(fleet.gateway_url)
        task = await client.submit(fleet.site.url("one"), metadata={"a": 1})
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(client.wait(task))
            await fleet.wait_visited("one")
            gateway = fleet.roles[0]
            gateway.kill()
            # Made while nobody listens, and answered by the gateway that comes.
            submitting = group.create_task(client.submit(fleet.site.url("two")))
            await fleet.wait_ready(fleet.start("gateway", gateway.port))
            fleet.site.gate.set()
        assert waiting.result().metadata == {"a": 1}
        assert waiting.result().result is not None
        assert (await client.wait(submitting.result())).status is TaskStatus.COMPLETED


async def test_ends_without_an_answer_and_refusals_are_exceptions(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        client = AsyncCaptchad(fleet.gateway_url)
        task = await client.submit(fleet.site.url("held"))
        with pytest.raises(errors.CaptchadError, match=r"still .* after 0 s"):
            await client.wait(task, 0)
        assert (await client.cancel(task)).status is TaskStatus.CANCELLED
        fleet.site.gate.set()
        with pytest.raises(TaskFailed, match="selector"):
            await client.solve(fleet.site.url("other"), selector="#nothing", retry_count=0, timeout=5)
        with pytest.raises(errors.TargetNotAllowed, match=r"add it to security\.targets$"):
            await client.submit("https://example.com/")
        with pytest.raises(errors.InvalidRequest, match="/priority"):
            await client.submit(fleet.site.url("x"), priority="urgent")  # type: ignore[typeddict-item]
        with pytest.raises(errors.TaskNotFound):
            await client.status("task_00aaaaaaaaaaaaaaaaaaaaaaaaaa")
