"""A composed worker keeps visits apart, its own secrets to itself, and files that pages offer off the disk.

A short form by default; `make prove-hostile` plants a request of every kind, in 200 visits.
"""

import asyncio
import itertools
import os
from pathlib import Path
from typing import Any

import psutil

from tests.integration.browser.downloads import list_downloads
from tests.integration.browser.hostile_site import HostileSite
from tests.integration.browser.late_site import PLANTS, LateSite
from tests.integration.browser.stage import LocalSite
from tests.patience import until
from tests.processes import read_command
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, list_tree, run_fleet

PLANTED = ("a keepalive fetch", "a beacon", "fetchLater at the end", "a download")
PLANTED_VISITS = int(os.environ.get("CAPTCHAD_PROOF_PLANTED_VISITS", "0"))
REUSED_SHARE = 0.9
SECRETS = {"CAPTCHAD_BROWSER__NODE_SECRET": "a-secret-of-ours", "SOME_ACCESS_TOKEN": "somebody-elses-secret"}
ROLES = ("gateway", "scheduler", "worker")


def visit_only(port: int) -> dict[str, Any]:
    """Return settings with which one task at a time visits the site at this port."""
    target = {"host": "127.0.0.1", "ports": [port], "allow_private_addresses": True, **UNLIMITED}
    return {"security": {"targets": [target]}, "worker": {"max_workers_per_node": 1}}


async def solve(fleet: Fleet, url: str) -> dict[str, Any]:
    """Have a task made of a page, and wait until its tab is cleaned or closed."""
    [answer] = await fleet.wait_final([await fleet.submit("", url=url)])

    async def is_over() -> bool:
        return (await read_browser(fleet))["open_pages"] == 0

    await until(is_over)
    return answer


async def read_browser(fleet: Fleet) -> dict[str, Any]:
    [worker] = [role for role in fleet.roles if role.role == "worker"]
    async with fleet.client.get(f"http://127.0.0.1:{worker.port}/health") as response:
        details: dict[str, Any] = (await response.json())["services"]["browser"]["details"]
        return details


async def test_no_answer_to_one_task_reaches_the_next(tmp_path: Path, own_redis: RedisServer) -> None:
    site = LocalSite()
    await site.start()
    names = list(itertools.islice(itertools.cycle(PLANTS), PLANTED_VISITS)) or PLANTED
    try:
        async with run_fleet(tmp_path, own_redis.url, *ROLES, settings=visit_only(site.port)) as fleet:
            for name in names:
                late = LateSite(site)
                late.plant(PLANTS[name])
                answers = [await solve(fleet, site.url(path)) for path in ("/plant", "/look")]
                assert [answer["status"] for answer in answers] == ["completed", "completed"]
                assert late.cookies == []
            reused = (await read_browser(fleet))["reused_tabs"]
            print(f"{reused} of {2 * len(names)} visits were in a tab that was used before")
            # Now and then a page still sends after the cleaning, and its tab is thrown away.
            assert reused > REUSED_SHARE * (2 * len(names) - 1)
    finally:
        await site.stop()


async def test_no_process_of_the_browser_knows_a_secret(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_fleet(tmp_path, own_redis.url, "worker", environment=SECRETS) as fleet:
        own, *others = list_tree(fleet.roles[-1].process)
        assert SECRETS.items() <= own.environ().items()
        assert any("run-driver" in read_command(one) for one in others)
        assert not [one for one in others if knows_secret(one)]


def knows_secret(process: psutil.Process) -> bool:
    try:
        return bool(set(SECRETS.values()) & set(process.environ().values()) or "REDIS_URL" in process.environ())
    except psutil.NoSuchProcess:
        return False


async def test_a_file_that_is_offered_as_a_download_fails_its_task_for_good(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with HostileSite().serving() as site:
        settings = visit_only(site.port)
        async with run_fleet(tmp_path, own_redis.url, *ROLES, settings=settings) as fleet:
            answer = await solve(fleet, site.url("/download"))
            assert (answer["status"], answer["attempts"]) == ("failed", 1)
            assert (answer["error"]["code"], answer["error"]["retryable"]) == ("navigation_failed", False)
            assert "a file to download" in answer["error"]["message"]
            assert not await asyncio.to_thread(list_downloads)
