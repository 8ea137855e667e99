"""Hostile pages through a real gateway and a real worker: codes and times are right, and the worker goes on."""

from datetime import datetime
from pathlib import Path
from typing import Any

from tests.integration.browser.hostile_pages import FRUITLESS
from tests.integration.browser.hostile_site import HostileSite
from tests.integration.egress.goal import Goal
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, run_fleet

TIMEOUT_SECONDS = 3
GRACE_SECONDS = 10
"""What ending an attempt may take beyond its time: ten times the second at most of a quiet machine."""

CODES = {
    "/spins": "attempt_timeout",
    "/asks": "attempt_timeout",
    "/drip-page": "attempt_timeout",
    "/leaves": "target_not_allowed",
    "/loop": "navigation_failed",
    "/large-picture": "navigation_failed",
}


async def test_hostile_pages_end_in_time_and_the_worker_goes_on(tmp_path: Path, own_redis: RedisServer) -> None:
    goal = Goal()
    await goal.start()
    async with HostileSite().serving() as site:
        site.put_page("/spins", FRUITLESS["a loop after loading"])
        site.put_page("/asks", FRUITLESS["dialogs without pause"])
        site.put_page("/leaves", f"<script>location = 'http://127.0.0.1:{goal.port}/'</script>")
        options = {"settings": {"security": {"targets": [declare(site.port)]}}}
        async with run_fleet(tmp_path, own_redis.url, "gateway", "scheduler", "worker", **options) as fleet:
            await attack(fleet, site)
            assert await count_refusals(fleet, "undeclared_port") == 1
    assert goal.visits == 0
    await goal.stop()


def declare(*ports: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "ports": list(ports), "allow_private_addresses": True, **UNLIMITED}


async def attack(fleet: Fleet, site: HostileSite) -> None:
    # What ends by itself has all the time it needs.
    timeouts = [TIMEOUT_SECONDS if code == "attempt_timeout" else PATIENCE_SECONDS for code in CODES.values()]
    task_ids = [
        await fleet.submit("", url=site.url(path), timeout=timeout, retry_count=0)
        for path, timeout in zip(CODES, timeouts, strict=True)
    ]
    answers = await fleet.wait_final(task_ids)
    assert [answer["error"]["code"] for answer in answers] == list(CODES.values())
    for answer, timeout in zip(answers, timeouts, strict=True):
        assert measure_seconds(answer) < timeout + GRACE_SECONDS
    site.put_page("/honest", "<img id=captcha src=/picture>")
    [honest] = await fleet.wait_final([await fleet.submit("", url=site.url("/honest"), timeout=PATIENCE_SECONDS)])
    assert honest["status"] == "completed"


def measure_seconds(answer: dict[str, Any]) -> float:
    started, completed = (datetime.fromisoformat(answer[name]) for name in ("started_at", "completed_at"))
    return (completed - started).total_seconds()


async def count_refusals(fleet: Fleet, reason: str) -> float:
    [worker] = [role for role in fleet.roles if role.role == "worker"]
    async with fleet.client.get(f"http://127.0.0.1:{worker.port}/metrics") as response:
        lines = (await response.text()).splitlines()
    wanted = (line for line in lines if line.startswith("captchad_egress_refusals_total{") and f'"{reason}"' in line)
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)
