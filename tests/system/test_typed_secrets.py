"""A password that a task types is in no byte that captchad stores, logs, shows or hands to a process."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from captchad.broker.address import open_clients
from captchad.config.settings import RedisSection
from captchad.sample_site.drawing import pick_text
from tests.processes import list_descendants
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, run_fleet
from tests.system.own_site import OwnSite

PUBLIC = "metadata-is-kept"
PASSWORD = "Xq7-never-kept-Zw9"
ECHOES = {
    "covered": "<div id=echo style='position: fixed; inset: 0; display: none'></div>"
    "<script>password.oninput = () => { echo.style.display = 'block'; echo.textContent = password.value }</script>",
    "picture": "<script>password.oninput = () => { document.images[0].src = `/none/${password.value}.png` }</script>",
}
ROLES = ("gateway", "scheduler", "worker", "monitor")


class LoginSite(OwnSite):
    """A login that wants a user, a password and a captcha, and remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        super().__init__(
            web.get("/", self._show), web.post("/login", self._log_in), web.get("/captcha.png", self._draw)
        )

    async def _show(self, request: web.Request) -> web.Response:
        form = (
            "<button id=start>Log in</button><form method=post action=/login><input id=user name=user>"
            "<input id=password name=password type=password><img src=/captcha.png alt=captcha>"
            "<input id=code name=code><button id=send>Log in</button></form>"
        )
        # Others show it at once, over the button or in an address.
        return web.Response(text=form + ECHOES.get(request.query_string, ""), content_type="text/html")

    async def _log_in(self, request: web.Request) -> web.Response:
        self.sent.append({name: str(value) for name, value in (await request.post()).items()})
        # As careless pages do: the password comes back.
        text = f"<p id=welcome>Welcome, {self.sent[-1]['user']}; your password is {self.sent[-1]['password']}</p>"
        return web.Response(text=text, content_type="text/html")

    async def _draw(self, _: web.Request) -> web.Response:
        return self.show_picture(pick_text())


async def test_a_typed_password_is_kept_nowhere(tmp_path: Path, own_redis: RedisServer) -> None:
    async with LoginSite() as site:
        target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
        settings = {"security": {"targets": [target], "session_key": "k" * 44}, "logging": {"level": "debug"}}
        async with run_fleet(tmp_path, own_redis.url, *ROLES, settings=settings) as fleet:
            url = f"{site.base_url}/"
            ids = [
                await fleet.submit("", **{"url": url, "evidence": True, "metadata": {"note": PUBLIC}, **fields})
                for fields in list_orders(url)
            ]
            ended = await fleet.wait_final(ids)
            assert [answer["status"] for answer in ended] == ["completed"] * 2 + ["failed"] * 3, ended
            assert [sent["password"] for sent in site.sent] == [PASSWORD] * 2
            places = [one async for one in collect(fleet)]
            # What is no secret is found by the same search.
            assert any(PUBLIC.encode() in content for place, content in places if place.startswith("hash"))
            assert any(ids[0].encode() in content for place, content in places if place.endswith(".log"))
            assert [place for place, content in places if PASSWORD.encode() in content] == []


def list_orders(url: str) -> list[dict[str, Any]]:
    """Return a login by fields, one by a step, and some that fail and become dead letters."""
    fields = [{"selector": "#user", "value": "anna"}, {"selector": "#password", "value": PASSWORD}]
    fill = {"input": "#code", "submit": "#send", "success": "#welcome"}
    steps = [{"click": "#start"}, {"type": "#password", "value": PASSWORD}]
    return [
        {"fill": {**fill, "fields": fields}},
        {"fill": {**fill, "fields": fields[:1]}, "steps": steps},
        {"fill": {**fill, "input": "#nowhere", "fields": fields}, "retry_count": 0},
        *({"url": f"{url}?{echo}", "steps": steps, "fill": fill, "retry_count": 0} for echo in ECHOES),
    ]


async def collect(fleet: Fleet) -> AsyncIterator[tuple[str, bytes]]:
    """List everything that anybody could read, by a name for it."""
    clients = open_clients(RedisSection(), "test", fleet.redis_url)
    async for key in clients.commands.scan_iter(count=1000):
        yield f"Redis key {key!r}", await clients.commands.dump(key) or b""
        if await clients.commands.type(key) == b"hash":
            members = await clients.commands.hgetall(key)
            yield f"hash {key!r}", b" ".join([part for pair in members.items() for part in pair])
    await clients.close()
    for path in (path for path in fleet.folder.rglob("*") if path.is_file()):
        yield str(path), path.read_bytes()
    for role in fleet.roles:
        for page in ("metrics", "status/config", "health"):
            async with fleet.client.get(f"http://127.0.0.1:{role.port}/{page}") as response:
                yield f"/{page} of {role.role}", await response.read()
    for page in ("tasks", "stats", "queue_status", "workers"):
        async with fleet.client.get(f"{fleet.gateway_url}/{page}") as response:
            yield f"/{page}", await response.read()
    for place, content in read_processes():
        yield place, content


def read_processes() -> Iterator[tuple[str, bytes]]:
    """List the environments and command lines of every process of the test."""
    for process in list_descendants():
        for name in ("environ", "cmdline"):
            # It may have ended meanwhile.
            with contextlib.suppress(OSError):
                yield f"{name} of {process.pid}", Path(f"/proc/{process.pid}/{name}").read_bytes()
