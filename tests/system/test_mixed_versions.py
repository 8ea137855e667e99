"""Roles of this release and of the one before work together on one Redis, as during an upgrade and a way back."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from captchad.sample_site.drawing import pick_text
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet
from tests.system.older_release import unpack_older_release
from tests.system.own_site import OwnSite

PASSWORD = "Xq7-of-both-Zw9"
FILL = {
    "input": "#code",
    "submit": "#send",
    "success": "#welcome",
    "fields": [{"selector": "#user", "value": "anna"}, {"selector": "#password", "value": PASSWORD}],
}
OLD, NEW = "old", "new"


class LoginSite(OwnSite):
    """A login behind a captcha, which knows who came and what was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.visitors: list[tuple[str | None, str, str | None]] = []
        self.gate = asyncio.Event()
        self.held = asyncio.Event()
        self._shown: set[str] = set()
        super().__init__(
            web.get("/", self._show),
            web.get("/late/{visit}", self._show_late),
            web.get("/held", self._hold),
            web.post("/login", self._log_in),
            web.get("/captcha.png", self._draw),
        )

    def url(self, path: str = "") -> str:
        return f"{self.base_url}/{path}"

    async def _show(self, _: web.Request) -> web.Response:
        form = (
            "<button id=start>Log in</button><form method=post action=/login>"
            "<input id=user name=user><input id=password name=password type=password>"
            "<img id=captcha alt=captcha><input id=code name=code><button id=send>Log in</button></form>"
            "<script>captcha.src = `/captcha.png?theme=${localStorage.getItem('theme')}`</script>"
        )
        return web.Response(text=form, content_type="text/html")

    async def _show_late(self, request: web.Request) -> web.Response:
        visit = request.match_info["visit"]
        if visit in self._shown:
            return await self._show(request)
        self._shown.add(visit)
        return web.Response(text="<p>Not yet</p>", content_type="text/html")

    async def _hold(self, request: web.Request) -> web.Response:
        self.held.set()
        await self.gate.wait()
        return await self._show(request)

    async def _log_in(self, request: web.Request) -> web.Response:
        self.sent.append({name: str(value) for name, value in (await request.post()).items()})
        text = "<p id=welcome>Welcome</p><script>localStorage.setItem('theme', 'dark')</script>"
        response = web.Response(text=text, content_type="text/html")
        response.set_cookie("sid", "anna", httponly=True, samesite="Lax")
        return response

    async def _draw(self, request: web.Request) -> web.Response:
        self.visitors.append((request.cookies.get("sid"), request.query["theme"], request.headers.get("X-Tenant")))
        return self.show_picture(pick_text())


@dataclass
class MixedFleet:
    """A fleet whose roles are of either release."""

    site: LoginSite
    fleet: Fleet
    sources: dict[str, Path | None]
    gateways: dict[str, str] = field(default_factory=dict)

    async def start(self, release: str, *names: str) -> None:
        roles = [self.fleet.start(name, source=self.sources[release]) for name in names]
        for role in roles:
            await self.fleet.wait_ready(role)
            if role.role == "gateway":
                self.gateways[release] = f"http://127.0.0.1:{role.port}"

    async def submit(self, release: str, headers: dict[str, str] | None = None, **body: Any) -> str:
        url = f"{self.gateways[release]}/submit_task"
        async with self.fleet.client.post(url, json=body, headers=headers) as response:
            answer = await response.json(content_type=None)
            assert response.status == 202, answer
            return str(answer["task_id"])

    async def read(self, release: str, path: str) -> Any:
        async with self.fleet.client.get(f"{self.gateways[release]}/{path}") as response:
            assert response.status == 200, await response.text()
            return await response.json() if "json" in response.content_type else await response.read()

    def run(self, release: str, *arguments: str) -> Any:
        """Return what a command of a release prints as JSON."""
        source = self.sources[release]
        environment = os.environ | {"REDIS_URL": self.fleet.redis_url} | ({"PYTHONPATH": str(source)} if source else {})
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "captchad",
                *arguments,
                "--config",
                str(self.fleet.folder / "config.json"),
                "--json",
            ],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def assert_agree(one: Any, other: Any) -> None:
    """Assert that what both releases know of is the same in both answers."""
    if isinstance(one, dict) and isinstance(other, dict):
        shared = one.keys() & other.keys()
        assert shared or one.keys() == other.keys()
        for name in shared:
            assert_agree(one[name], other[name])
        return
    assert one == other


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the release before."""
    return unpack_older_release(tmp_path_factory.mktemp("older"))


@pytest.fixture
async def mixed(older: Path, tmp_path: Path, own_redis: RedisServer) -> AsyncIterator[MixedFleet]:
    """A fleet without any role yet."""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(LoginSite())
        target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
        settings = {"security": {"targets": [target], "session_key": "k" * 44}}
        fleet = await stack.enter_async_context(Fleet(tmp_path, own_redis.url, settings=settings))
        yield MixedFleet(site, fleet, {OLD: older, NEW: None})
        site.gate.set()


@pytest.mark.parametrize(("accepting", "working"), [(OLD, NEW), (NEW, OLD)])
async def test_what_one_release_accepts_the_other_solves_and_both_read(
    mixed: MixedFleet, accepting: str, working: str
) -> None:
    names = ("gateway", "scheduler", "monitor")
    await asyncio.gather(*(mixed.start(release, *names) for release in (OLD, NEW)), mixed.start(working, "worker"))
    site, fleet = mixed.site, mixed.fleet
    login = await mixed.submit(
        accepting,
        url=site.url(),
        fill=FILL,
        steps=[{"click": "#start"}],
        session={"headers": {"X-Tenant": "7"}, "cookies": [{"name": "sid", "value": "guest"}]},
        return_session=True,
        evidence=True,
        hints={"charset": "abcdefghijklmnopqrstuvwxyz0123456789"},
        metadata={"note": "kept"},
    )
    late = await mixed.submit(accepting, url=site.url("late/1"), retry_count=2)
    # It has no such field, fails for good and becomes a dead letter.
    dead = await mixed.submit(accepting, url=site.url(), fill={**FILL, "input": "#nowhere"}, retry_count=0)
    image = base64.b64encode(site.draw("abcd")).decode()
    picture = await mixed.submit(accepting, image=image, target="127.0.0.1", evidence=True)
    ids = [login, late, dead, picture]
    ended = await fleet.wait_final(ids)
    assert [answer["status"] for answer in ended] == ["completed", "completed", "failed", "completed"], ended
    assert ended[1]["attempts"] == 2
    assert site.sent[0]["password"] == PASSWORD
    assert ("guest", "null", "7") in site.visitors
    for release in (OLD, NEW):
        for task_id, answer in zip(ids, ended, strict=True):
            read = await mixed.read(release, f"task_status/{task_id}")
            assert read["status"] == answer["status"]
            assert_agree(read["result"], answer["result"])
        evidence = ended[0]["result"]["evidence"]
        for place in ("image_url", "screenshot_url"):
            assert (await mixed.read(release, evidence[place].removeprefix("/")))[:4] == b"\x89PNG"
        workers = (await mixed.read(release, "workers"))["workers"]
        assert [(worker["state"], worker["slots"] > 0) for worker in workers] == [("up", True)]
        assert [letter["task_id"] for letter in mixed.run(release, "dead", "list")] == [dead]
    # What one release's page has left behind opens the other's.
    state = ended[0]["result"]["session"]["storage_state"]
    again = await mixed.submit(working, url=site.url(), session={"storage_state": state})
    await fleet.wait_final([again])
    assert site.visitors[-1] == ("anna", "dark", None)


async def test_keys_of_either_release_are_known_to_the_other(mixed: MixedFleet) -> None:
    mixed.fleet.environment |= {"CAPTCHAD_SECURITY__API_KEY_REQUIRED": "true"}
    for release in (OLD, NEW):
        await mixed.start(release, "gateway")

    async def find_statuses(text: str) -> list[int]:
        found = []
        for url in mixed.gateways.values():
            async with mixed.fleet.client.get(f"{url}/stats", headers={"X-API-Key": text}) as response:
                found.append(response.status)
        return found

    of_old = mixed.run(OLD, "keys", "create", "of-old")
    limits = ("--expires", "90d", "--rate", "600", "--quota", "5000", "--target", "127.0.0.1")
    of_new = mixed.run(NEW, "keys", "create", "of-new", *limits)
    for key in (of_old, of_new):
        assert await find_statuses(key["key"]) == [200, 200]
        rotated = mixed.run(NEW, "keys", "rotate", key["name"])
        assert await find_statuses(rotated["key"]) == [200, 200]
        # The older release knows no former text.
        assert await find_statuses(key["key"]) == [401, 200]
        lists = [{one["id"]: one for one in mixed.run(release, "keys", "list")} for release in (OLD, NEW)]
        assert_agree(*(listed[key["id"]] for listed in lists))
        task_id = await mixed.submit(OLD, {"X-API-Key": rotated["key"]}, url=mixed.site.url())
        for url in mixed.gateways.values():
            headers = {"X-API-Key": rotated["key"]}
            async with mixed.fleet.client.get(f"{url}/task_status/{task_id}", headers=headers) as response:
                assert response.status == 200
        mixed.run(OLD, "keys", "revoke", key["name"])
        assert await find_statuses(rotated["key"]) == [401, 401]


@pytest.mark.parametrize(("first", "then"), [(OLD, NEW), (NEW, OLD)])
async def test_what_one_release_had_under_way_as_it_died_the_other_completes(
    mixed: MixedFleet, first: str, then: str
) -> None:
    await mixed.start(first, "gateway", "scheduler", "worker")
    site, fleet = mixed.site, mixed.fleet
    held = await mixed.submit(
        first, url=site.url("held"), fill=FILL, return_session=True, evidence=True, headers={"Idempotency-Key": "one"}
    )
    await site.held.wait()
    late = await mixed.submit(first, url=site.url("late/2"), fill=FILL, retry_count=2)
    for role in fleet.roles:
        role.kill()
    site.gate.set()
    await mixed.start(then, "gateway", "scheduler", "worker")
    repeated = await mixed.submit(
        then, url=site.url("held"), fill=FILL, return_session=True, evidence=True, headers={"Idempotency-Key": "one"}
    )
    assert repeated == held
    ended = await fleet.wait_final([held, late])
    assert [answer["status"] for answer in ended] == ["completed", "completed"], ended
    assert {sent["password"] for sent in site.sent} == {PASSWORD}
    assert ended[0]["result"]["session"]["cookies"][0]["value"] == "anna"
    assert (await mixed.read(then, ended[0]["result"]["evidence"]["image_url"].removeprefix("/")))[:4] == b"\x89PNG"
    assert await fleet.list_stream_entries() == 0


@pytest.mark.parametrize(("leading", "following"), [(OLD, NEW), (NEW, OLD)])
async def test_a_scheduler_goes_on_where_one_of_the_other_release_has_ended(
    mixed: MixedFleet, leading: str, following: str
) -> None:
    await mixed.start(leading, "gateway", "scheduler")
    await mixed.start(following, "scheduler", "worker", "gateway")
    leader = next(role for role in mixed.fleet.roles if role.role == "scheduler")
    site, fleet = mixed.site, mixed.fleet
    first = await mixed.submit(leading, url=site.url("late/3"), retry_count=2)
    await fleet.wait_final([first])
    leader.kill()
    second = await mixed.submit(leading, url=site.url("late/4"), retry_count=2)
    waiting = await mixed.submit(leading, url=site.url("held"), task_deadline=2)
    ended = await fleet.wait_final([second, waiting])
    assert [answer["status"] for answer in ended] == ["completed", "failed"], ended
    assert ended[1]["error"]["code"] == "deadline_exceeded"
