"""Rights in Redis that are withdrawn while roles run: each says so once, and nothing is left half done."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.integration.broker.test_rights import PASSWORD, read_user
from tests.patience import until
from tests.redis_server import RedisServer
from tests.refusals import open_client
from tests.system.fleet import Fleet, RoleProcess, run_fleet
from tests.system.test_refused_writes import BETWEEN_SECONDS, assert_completed_at_the_first_attempt, watch

ROLES = ("gateway", "scheduler", "worker", "monitor")


def set_user(server: RedisServer, *rules: str) -> None:
    with open_client(server) as admin:
        admin.execute_command("ACL", "SETUSER", "captchad", *rules)


@contextlib.asynccontextmanager
async def run_roles(folder: Path, server: RedisServer) -> AsyncIterator[Fleet]:
    """Run all roles as an ACL user of the listed rights."""
    set_user(server, *read_user())
    url = server.url.replace("redis://", f"redis://captchad:{PASSWORD}@")
    async with run_fleet(folder, url, *ROLES) as fleet:
        # For the test's own looks at what is stored.
        fleet.redis_url = server.url
        yield fleet


async def check_said_once(fleet: Fleet, right: str, *roles: str) -> None:
    """Check that some roles have named the right and where it is listed, once, and say once that it is back."""
    for role in fleet.roles:
        lines = [line for line in role.log.splitlines() if "refuses a right" in line]
        assert len(lines) == (role.role in roles), role.log
        assert all(right in line and "config/redis.acl" in line for line in lines), lines

        async def is_back(role: RoleProcess = role) -> bool:
            return "Redis is back" in role.log

        if role.role in roles:
            await until(is_back)


async def test_without_the_right_to_scripts_everything_waits(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_roles(tmp_path, own_redis) as fleet:
        ids = [await fleet.submit(f"v{number}", retry_count=0) for number in range(3)]
        await fleet.wait_processing(ids)
        with open_client(own_redis) as client:
            set_user(own_redis, "-@scripting")
            await watch(client, fleet)
            stored = client.keys("captchad:*:task:*")
            async with fleet.client.post(
                f"{fleet.gateway_url}/submit_task", json={"url": fleet.site.url("no")}
            ) as answer:
                assert (answer.status, (await answer.json(content_type=None))["code"]) == (503, "broker_unavailable")
            assert sorted(client.keys("captchad:*:task:*")) == sorted(stored)
        set_user(own_redis, "+eval", "+evalsha")
        fleet.site.gate.set()
        await assert_completed_at_the_first_attempt(fleet, ids)
        await check_said_once(fleet, "'evalsha'", *ROLES)


async def test_without_the_right_to_channels_tasks_are_taken_in_and_done(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with run_roles(tmp_path, own_redis) as fleet:
        before = await fleet.submit("v0", retry_count=0)
        await fleet.wait_processing([before])
        # Whoever listens is cut off by the server: that is another thing to say, and is over before.
        with open_client(own_redis) as client:
            set_user(own_redis, "resetchannels")
            body = {"tasks": [{"url": fleet.site.url(f"v{number}"), "retry_count": 0} for number in (1, 2, 3)]}
            async with fleet.client.post(f"{fleet.gateway_url}/submit_batch", json=body) as answer:
                assert answer.status == 202, await answer.text()
                ids = [before, *(task["task_id"] for task in (await answer.json())["tasks"])]
            await watch(client, fleet)
            fleet.site.gate.set()

            async def are_done() -> bool:
                answers = [await fleet.status(task_id) for task_id in ids]
                return all((answer["status"], answer["attempts"]) == ("completed", 1) for answer in answers)

            await until(are_done)
            async with fleet.client.get(f"{fleet.gateway_url}/stats") as answer:
                stats = await answer.json()
            assert (stats["completed_tasks"], stats["pending_tasks"], stats["processing_tasks"]) == (len(ids), 0, 0)
        set_user(own_redis, "&captchad:*")
        await asyncio.sleep(BETWEEN_SECONDS)
        await assert_completed_at_the_first_attempt(fleet, [await fleet.submit("v4")])
        await check_said_once(fleet, "the channels of captchad:*", "gateway", "scheduler", "worker")
