"""Whatever dies, stops or goes away: every task accepted with 202 ends in exactly one final state."""

import asyncio
import os
import signal
from pathlib import Path

from captchad.runtime.clock import Clock
from tests.patience import until
from tests.processes import await_ends
from tests.redis_server import RedisServer
from tests.sentinels import SentinelFleet
from tests.system.fleet import list_tree, run_fleet

RUNNING_AGAIN_SECONDS = float(os.environ.get("CAPTCHAD_PROOF_RUNNING_AGAIN_SECONDS", "60"))
"""Ten times the six seconds it takes on a quiet machine, a lease and the round that finds it expired."""

FREE_AGAIN_SECONDS = 20.0
"""Ten times the two seconds that are promised; on a quiet machine it takes 0.6."""

OUTAGE_SECONDS = float(os.environ.get("CAPTCHAD_PROOF_OUTAGE_SECONDS", "6"))


async def test_tasks_of_a_killed_worker_run_again_and_end(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        [victim] = [role for role in fleet.roles if role.role == "worker"]
        ids = [await fleet.submit(f"v{number}") for number in range(4)]
        await fleet.wait_processing(ids)
        await fleet.start_ready("worker")
        clock = Clock()
        killed_at = clock.monotonic_seconds()
        victim.kill()

        async def are_running_again() -> bool:
            answers = [await fleet.status(task_id) for task_id in ids]
            return all(one["status"] == "processing" and not victim.runs(one["worker"]) for one in answers)

        await until(are_running_again)
        assert clock.monotonic_seconds() - killed_at < RUNNING_AGAIN_SECONDS
        fleet.site.gate.set()
        answers = await fleet.wait_final(ids)
        # Which of the four has killed the worker can't be told, so none has lost an attempt.
        assert [(answer["status"], answer["attempts"]) for answer in answers] == [("completed", 1)] * 4
        assert await fleet.list_stream_entries() == 0


async def test_a_task_that_kills_its_workers_takes_no_other_task_with_it(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        poisoned, *innocent = [await fleet.submit(f"v{number}", retry_count=0) for number in range(4)]
        await fleet.wait_processing([poisoned, *innocent])
        await fleet.start_ready("worker", "worker")
        kills = 0

        async def is_dead() -> bool:
            nonlocal kills
            answer = await fleet.status(poisoned)
            for role in list(fleet.roles):
                if answer["status"] == "processing" and role.process.poll() is None and role.runs(answer["worker"]):
                    role.kill()
                    kills += 1
                    fleet.start("worker")
            return bool(answer["status"] == "failed")

        await until(is_dead)
        assert (await fleet.status(poisoned))["error"]["code"] == "worker_lost"
        assert kills >= 2
        fleet.site.gate.set()
        answers = await fleet.wait_final(innocent)
        assert [(answer["status"], answer["attempts"]) for answer in answers] == [("completed", 1)] * 3


async def test_a_worker_stopped_past_its_lease_writes_nothing_when_it_goes_on(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        [zombie] = [role for role in fleet.roles if role.role == "worker"]
        task_id = await fleet.submit("zombie")
        await fleet.wait_processing([task_id])
        # Stopped before it heard of the delivery, it would lose that with its connection and have nothing to notice.
        await fleet.wait_visited("zombie")
        zombie.signal(signal.SIGSTOP)
        await fleet.start_ready("worker")
        await fleet.wait_processing([task_id], attempt=2)
        fleet.site.gate.set()
        [before] = await fleet.wait_final([task_id])
        assert before["status"] == "completed"
        zombie.signal(signal.SIGCONT)

        async def has_noticed() -> bool:
            return "abandoned" in zombie.log or "refused" in zombie.log

        await until(has_noticed)
        assert await fleet.status(task_id) == before


async def test_nothing_is_lost_when_gateway_and_scheduler_are_killed(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "scheduler", "worker", "monitor") as fleet:
        ids = [await fleet.submit(f"v{number}") for number in range(6)]
        await fleet.wait_processing(ids[:4])
        for role in fleet.roles:
            if role.role in {"gateway", "monitor"} or role is fleet.roles[1]:
                role.kill()
        await fleet.start_ready("gateway")
        fleet.site.gate.set()
        answers = await fleet.wait_final(ids)
        assert [(answer["status"], answer["attempts"]) for answer in answers] == [("completed", 1)] * 6
        ids = [await fleet.submit("after-takeover")]
        assert (await fleet.wait_final(ids))[0]["status"] == "completed"


async def test_another_scheduler_takes_over_from_a_killed_one(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        standby = fleet.start("scheduler")
        await fleet.wait_ready(standby)
        fleet.roles[1].kill()

        async def has_taken_over() -> bool:
            return "this scheduler is active" in standby.log

        await until(has_taken_over, RUNNING_AGAIN_SECONDS)
        # Nothing but an active scheduler ends an overdue task that is held up.
        task_id = await fleet.submit("overdue", task_deadline=1)
        [answer] = await fleet.wait_final([task_id])
        assert answer["error"]["code"] in {"deadline_exceeded", "attempt_timeout"}


async def test_a_worker_told_to_end_finishes_its_task_takes_no_other_and_leaves_no_process(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker") as fleet:
        worker = fleet.roles[-1]
        task_id = await fleet.submit("last")
        await fleet.wait_processing([task_id])
        tree = list_tree(worker.process)
        assert len(tree) > 2
        worker.signal(signal.SIGTERM)

        async def is_draining() -> bool:
            return "is draining" in worker.log

        await until(is_draining)
        waiting = await fleet.submit("not-taken")
        fleet.site.gate.set()
        assert await worker.wait() == 0
        assert (await fleet.status(task_id))["status"] == "completed"
        assert (await fleet.status(waiting))["status"] == "pending"

        assert await asyncio.to_thread(await_ends, tree) == []


async def test_a_redis_that_is_away_for_longer_than_a_lease_costs_no_attempt(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", "worker") as fleet:
        ids = [await fleet.submit(f"v{number}", retry_count=0) for number in range(12)]
        await fleet.wait_processing(ids[:8])
        own_redis.kill()
        await asyncio.sleep(OUTAGE_SECONDS)
        own_redis.start()
        fleet.site.gate.set()

        async def can_answer() -> bool:
            async with fleet.client.get(f"{fleet.gateway_url}/readyz") as response:
                return response.status == 200

        await until(can_answer)
        answers = await fleet.wait_final(ids)
        assert [(answer["status"], answer["attempts"]) for answer in answers] == [("completed", 1)] * 12
        assert await fleet.list_stream_entries() == 0


async def test_a_cancelled_task_frees_its_worker_at_once(tmp_path: Path, own_redis: RedisServer) -> None:
    settings = {"worker": {"max_workers_per_node": 1}}
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", settings=settings) as fleet:
        blocking = await fleet.submit("blocking")
        await fleet.wait_processing([blocking])
        following = await fleet.submit("following")
        async with fleet.client.post(f"{fleet.gateway_url}/cancel_task/{blocking}") as response:
            assert (await response.json())["status"] == "cancelled"
        async with asyncio.timeout(FREE_AGAIN_SECONDS):
            await fleet.wait_processing([following])
        fleet.site.gate.set()
        [answer] = await fleet.wait_final([following])
        assert answer["status"] == "completed"
        assert (await fleet.status(blocking))["status"] == "cancelled"


async def test_a_sentinel_failover_under_load_is_ridden_out_by_the_whole_fleet(
    tmp_path: Path, sentinels: SentinelFleet
) -> None:
    settings = {"redis": {"sentinel": {"hosts": list(sentinels.hosts)}, "min_replicas_acknowledged": 1}}
    async with run_fleet(tmp_path, "", "gateway", "scheduler", "worker", settings=settings) as fleet:
        ids = [await fleet.submit(f"v{number}") for number in range(12)]
        await fleet.wait_processing(ids[:4])
        sentinels.servers[0].kill()
        fleet.site.gate.set()

        async def can_answer() -> bool:
            async with fleet.client.get(f"{fleet.gateway_url}/task_status/{ids[0]}") as response:
                return response.status == 200

        await until(can_answer)
        answers = await fleet.wait_final(ids)
        assert [(answer["status"], answer["attempts"]) for answer in answers] == [("completed", 1)] * 12
