"""A site that tells a wrong password from a wrong captcha gets no more of them in an hour than its target may have."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from captchad.sample_site.drawing import pick_text
from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, run_fleet
from tests.system.own_site import OwnSite

pytestmark = pytest.mark.long

MOST = 10
SLOTS = 4
TASKS = MOST + SLOTS
"""So many more than may be rejected as one worker has under way."""
KILLS = 2
PASSWORD = "correct horse!"
KEY = "k" * 40
ROLES = ("gateway", "scheduler", "worker")


class LoginSite(OwnSite):
    """A login with a captcha; it answers after `thinking_seconds`, and `rejected` are the passwords it refused."""

    def __init__(self) -> None:
        self.rejected: list[str] = []
        self.misread = 0
        self.thinking_seconds = 0.0
        self._truths: dict[str, str] = {}
        super().__init__(
            web.get("/login/{visitor}", self._show),
            web.post("/login/{visitor}", self._log_in),
            web.get("/captcha/{visitor}.png", self._draw),
        )

    def url(self, visitor: str) -> str:
        return f"{self.base_url}/login/{visitor}"

    async def _show(self, request: web.Request) -> web.Response:
        return self._answer(request)

    async def _log_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        right = self._truths.pop(request.match_info["visitor"], None)
        if str(form["code"]).lower() != str(right).lower():
            self.misread += 1
            await asyncio.sleep(self.thinking_seconds)
            return self._answer(request, "<p class=error>The code was wrong</p>")
        if form["password"] != PASSWORD:
            self.rejected.append(str(form["password"]))
            await asyncio.sleep(self.thinking_seconds)
            return self._answer(request, "<p class=error>Name or password is wrong</p>")
        return web.Response(text="<p id=welcome>Welcome</p>", content_type="text/html")

    def _answer(self, request: web.Request, message: str = "") -> web.Response:
        visitor = request.match_info["visitor"]
        form = (
            f'<form method=post><input type=password name=password><img src="/captcha/{visitor}.png" alt=captcha>'
            "<input name=code autocomplete=off><button>Log in</button></form>"
        )
        return web.Response(text=message + form, content_type="text/html")

    async def _draw(self, request: web.Request) -> web.Response:
        visitor = request.match_info["visitor"]
        self._truths[visitor] = pick_text()
        return self.show_picture(self._truths[visitor], {"Cache-Control": "no-store"})


def log_in(password: str, retry_count: int = 5, timeout_seconds: int = 60, **conditions: str | None) -> dict[str, Any]:
    told = {"success": "#welcome", "failure": ".error", "rejected": "text:password is wrong"} | conditions
    fields = [{"selector": "[name=password]", "value": password}]
    fill = {"input": "[name=code]", "submit": "button", "fields": fields} | {
        name: value for name, value in told.items() if value
    }
    return {"fill": fill, "retry_count": retry_count, "timeout": timeout_seconds}


@asynccontextmanager
async def run_logins(folder: Path, redis_url: str, *roles: str) -> AsyncIterator[tuple[Fleet, LoginSite]]:
    async with LoginSite() as site:
        target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
        settings = {
            "security": {"targets": [target], "session_key": KEY},
            "worker": {"max_workers_per_node": SLOTS},
        }
        async with run_fleet(folder, redis_url, *roles, settings=settings) as fleet:
            yield fleet, site


async def submit(fleet: Fleet, site: LoginSite, passwords: list[str], **options: Any) -> list[dict[str, Any]]:
    """Return how logins with these passwords ended."""
    ids = [
        await fleet.submit("", url=site.url(f"visitor{number}"), **log_in(password, **options))
        for number, password in enumerate(passwords)
    ]
    return await fleet.wait_final(ids)


async def fetch(fleet: Fleet, role: str, path: str) -> str:
    [port] = [one.port for one in fleet.roles if one.role == role and one.process.poll() is None][:1]
    async with fleet.client.get(f"http://127.0.0.1:{port}{path}") as response:
        return await response.text()


async def test_wrong_passwords_close_fill_until_an_operator_reopens_it(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_logins(tmp_path, own_redis.url, *ROLES, "monitor") as (fleet, site):
        ended = await submit(fleet, site, [f"guess {number}" for number in range(TASKS)])
        assert {(one["status"], one["error"]["code"]) for one in ended} == {("failed", "form_rejected")}
        assert 0 < len(site.rejected) <= MOST
        closed = [one for one in ended if one["answers"] == 0]
        # Of an answer with a wrong code nobody may have seen what became of it: then it counts as rejected, too.
        assert TASKS - MOST - site.misread <= len(closed) <= TASKS - len(site.rejected)
        assert "captchad targets reopen 127.0.0.1" in closed[0]["error"]["message"]
        assert not any(one["error"]["retryable"] for one in ended)
        await check_closure_is_seen(fleet)

        [worker] = [role for role in fleet.roles if role.role == "worker"]
        assert "fill is closed at 127.0.0.1" in worker.log
        worker.kill()
        await fleet.start_ready("worker")
        [refused] = await submit(fleet, site, [PASSWORD])
        assert (refused["error"]["code"], refused["answers"]) == ("form_rejected", 0)
        plain = await fleet.submit("", url=site.url("plain"))
        assert [one["status"] for one in await fleet.wait_final([plain])] == ["completed"]

        async with fleet.client.post(f"{fleet.gateway_url}/reopen_target/127.0.0.1") as response:
            answer = await response.json()
        assert (answer["was_closed"], answer["was_fill_closed"]) == (True, True)
        [right] = await submit(fleet, site, [PASSWORD])
        assert right["result"]["verified"] is True, right
        assert json.loads(await fetch(fleet, "gateway", "/stats"))["fill_closures"] == {}


async def check_closure_is_seen(fleet: Fleet) -> None:
    assert list(json.loads(await fetch(fleet, "gateway", "/stats"))["fill_closures"]) == ["127.0.0.1"]
    assert json.loads(await fetch(fleet, "gateway", "/queue_status"))["dead"] == 0

    async def has_metric() -> bool:
        text = await fetch(fleet, "monitor", "/metrics")
        return 'captchad_fill_closed_timestamp_seconds{target="127.0.0.1"}' in text

    await until(has_metric)
    assert f'captchad_form_rejections_total{{target="127.0.0.1"}} {MOST}' in await fetch(fleet, "worker", "/metrics")


async def test_answers_whose_workers_are_killed_count(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_logins(tmp_path, own_redis.url, *ROLES, "worker") as (fleet, site):
        site.thinking_seconds = 1.0
        # What a killed worker had reserved counts as rejected once its attempt would have ended: short ones save time.
        ending = asyncio.ensure_future(submit(fleet, site, ["the same guess"] * 2 * TASKS, timeout_seconds=10))
        killed = 0

        async def has_more_rejections() -> bool:
            return len(site.rejected) > killed or ending.done()

        for _ in range(KILLS):
            killed = len(site.rejected)
            await until(has_more_rejections)
            [victim, *_] = [one for one in fleet.roles if one.role == "worker" and one.process.poll() is None]
            victim.kill()
            fleet.start("worker")
        ended = await ending
        assert {one["status"] for one in ended} == {"failed"}
        assert 0 < len(site.rejected) <= MOST


async def test_a_busy_target_whose_logins_are_right_stays_open(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_logins(tmp_path, own_redis.url, *ROLES, "worker") as (fleet, site):
        ended = await submit(fleet, site, [PASSWORD] * 2 * TASKS)
        assert {(one["status"], (one["result"] or {}).get("verified")) for one in ended} == {("completed", True)}
        assert not site.rejected


async def test_without_a_rejected_condition_different_values_count(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_logins(tmp_path, own_redis.url, *ROLES) as (fleet, site):
        # More answers than may be rejected, and more tasks, with one value: whoever reads wrongly does no harm.
        ended = await submit(fleet, site, ["the same guess"] * TASKS, retry_count=1, rejected=None)
        assert "form_rejected" not in {one["error"]["code"] for one in ended}
        assert sum(one["answers"] for one in ended) > MOST
        passwords = [f"guess {number}" for number in range(TASKS)]
        ended = await submit(fleet, site, passwords, retry_count=1, rejected=None)
        assert "form_rejected" in {one["error"]["code"] for one in ended}
        assert len(set(site.rejected)) <= MOST
