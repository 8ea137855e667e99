"""A site changes its captcha while a fleet works: everybody is told within a hundred visits, and nobody before."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from captcha.image import ImageCaptcha

from captchad.domain.captcha_drift import LEARNING_VISITS
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, run_fleet

HOST = "127.0.0.1"
BATCH = 20
FOUND_WITHIN_VISITS = 100
FAILED_VISITS = 5


def draw_otherwise(text: str) -> bytes:
    return ImageCaptcha(width=160, height=60).generate(text).getvalue()


async def visit(fleet: Fleet, first: int, count: int) -> None:
    ids = [await fleet.submit(f"v{number}", retry_count=0) for number in range(first, first + count)]
    answers = await fleet.wait_final(ids)
    assert {answer["status"] for answer in answers} <= {"completed", "failed"}
    codes = {answer["error"]["code"] for answer in answers if answer["status"] == "failed"}
    assert codes <= {"captcha_unreadable"}


async def read_json(fleet: Fleet, url: str) -> Any:
    async with fleet.client.get(url) as response:
        return await response.json()


async def wait_counted(fleet: Fleet, visits: int) -> dict[str, Any]:
    """Return what is known of the captcha once so many visits are counted, or a change is found."""

    async def are_counted() -> dict[str, Any] | None:
        captcha = (await read_json(fleet, f"{fleet.gateway_url}/stats"))["captchas"].get(HOST)
        is_done = captcha is not None and (captcha["visits"] >= visits or captcha["changes"])
        return captcha if is_done else None

    found: dict[str, Any] = await until(are_counted)
    return found


async def listen(fleet: Fleet) -> dict[str, Any]:
    """Return the first event about a target."""
    async with fleet.client.get(f"{fleet.gateway_url}/events") as stream:
        async for line in stream.content:
            if line.startswith(b"event: target"):
                event: dict[str, Any] = json.loads((await stream.content.readline()).removeprefix(b"data: "))
                return event
    raise AssertionError("the stream has ended")


async def test_a_changed_captcha_is_found_within_a_hundred_visits_and_none_before(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    roles = ("gateway", "scheduler", "scheduler", "worker", "monitor")
    async with run_fleet(tmp_path, own_redis.url, *roles) as fleet:
        fleet.site.gate.set()
        [monitor] = [role for role in fleet.roles if role.role == "monitor"]
        listening = asyncio.ensure_future(listen(fleet))
        visits = LEARNING_VISITS + BATCH
        for first in range(0, visits, BATCH):
            await visit(fleet, first, BATCH)
        missing = [await fleet.submit("no/such/page", retry_count=0) for _ in range(FAILED_VISITS)]
        assert {answer["status"] for answer in await fleet.wait_final(missing)} == {"failed"}
        captcha = await wait_counted(fleet, visits)
        assert (captcha["visits"], captcha["changes"], captcha["changed_at"]) == (visits, 0, None)
        assert not listening.done()

        fleet.site.draw = draw_otherwise
        for since_change in range(BATCH, FOUND_WITHIN_VISITS + 1, BATCH):
            await visit(fleet, visits + since_change, BATCH)
            captcha = await wait_counted(fleet, visits + since_change)
            if captcha["changes"]:
                break
        assert captcha["changes"] == 1
        assert "size" in captcha["signals"]
        event = await asyncio.wait_for(listening, 60)
        assert (event["target"], event["signals"]) == (HOST, captcha["signals"])
        await check_monitor(fleet, monitor.port)
        command = [sys.executable, "-m", "captchad", "stats", "--gateway", fleet.gateway_url]
        shown = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        [line] = [line for line in shown.stdout.splitlines() if line.startswith(HOST)]
        assert captcha["changed_at"] in line
        assert sum("the captcha of 127.0.0.1 has changed" in role.log for role in fleet.roles) == 1


async def check_monitor(fleet: Fleet, port: int) -> None:
    """The monitor's page has the alert and the target, and its metrics when it was."""
    snapshot = await read_json(fleet, f"http://127.0.0.1:{port}/api/snapshot")
    assert [alert["name"] for alert in snapshot["alerts"] if alert["name"] == "CaptchaChanged"] == ["CaptchaChanged"]
    [captcha] = snapshot["fleet"]["captchas"]
    assert (captcha["target"], captcha["changes"]) == (HOST, 1)
    async with fleet.client.get(f"http://127.0.0.1:{port}/metrics") as response:
        text = await response.text()
    assert 'captchad_captcha_changes_total{target="127.0.0.1"} 1' in text
    assert 'captchad_captcha_changed_timestamp_seconds{target="127.0.0.1"}' in text
