"""Many pages at once: all of them end, read as well as the engine reads the bare pictures."""

import asyncio
import os
from pathlib import Path

from captchad.broker.address import open_clients
from captchad.config.sections import RedisSection
from tests.conftest import RedisServer
from tests.system.fleet import run_fleet

TASKS = int(os.environ.get("CAPTCHAD_PROOF_TASKS", "40"))
COMPLETED_SHARE = 0.99
READ_SHARE = 0.8


async def test_many_pages_at_once_are_all_read_and_leave_nothing_but_results(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", "worker") as fleet:
        fleet.site.gate.set()
        ids = await asyncio.gather(*(fleet.submit(f"v{number}") for number in range(TASKS)))
        answers = await fleet.wait_final(list(ids))
        completed = [answer for answer in answers if answer["status"] == "completed"]
        right = sum(
            answer["status"] == "completed"
            and answer["result"]["captcha_text"].lower() == fleet.site.truths[f"v{number}"].lower()
            for number, answer in enumerate(answers)
        )
        print(f"{TASKS} tasks: {len(completed)} completed, {right} right")
        assert len(completed) >= COMPLETED_SHARE * TASKS
        assert right >= READ_SHARE * TASKS
        assert await fleet.list_stream_entries() == 0
        clients = open_clients(RedisSection(), "test", own_redis.url)
        kinds = {key.decode().split("}:")[1].split(":")[0] for key in await clients.commands.keys("captchad:{p*")}
        assert kinds <= {"task", "queue", "recent", "counters", "history"}
        for key in await clients.commands.keys("captchad:*:task:*"):
            assert 0 < await clients.commands.ttl(key) <= 3600
        await clients.close()
