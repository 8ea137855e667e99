"""A site that refuses every answer gets no more of them than its tasks may send, whatever dies meanwhile.

A short form by default; `make prove-answers` sends 300 tasks.
"""

import asyncio
import contextlib
import os
import random
from collections import Counter
from pathlib import Path

from aiohttp import web

from captchad.sample_site.drawing import pick_text
from tests.patience import PATIENCE_SECONDS, POLL_SECONDS
from tests.redis_server import RedisServer
from tests.system.fleet import UNLIMITED, Fleet, run_fleet
from tests.system.own_site import OwnSite

TASKS = int(os.environ.get("CAPTCHAD_PROOF_ANSWERS_TASKS", "10"))
KILL_SECONDS = (1.0, 4.0)
TIMEOUTS_SECONDS = (4, 6, 10, 60)
"""Some attempts are cut off while the site still thinks about an answer."""

THINKING_SECONDS = (0.0, 0.0, 1.0, 5.0)
TASKS_OF_ONE_PATIENCE = 50
"""Retries go behind all that wait, so that many tasks end together, at last."""

WORKERS = 2


class RefusingSite(OwnSite):
    """A login that is always refused, sooner or later, and counts what it was sent of each visitor."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        super().__init__(
            web.get("/login/{visitor}", self._show),
            web.post("/login/{visitor}", self._refuse),
            web.get("/captcha.png", self._draw),
        )

    def url(self, visitor: str) -> str:
        return f"{self.base_url}/login/{visitor}"

    async def _show(self, request: web.Request) -> web.Response:
        return self._answer(request.match_info["visitor"])

    async def _refuse(self, request: web.Request) -> web.Response:
        visitor = request.match_info["visitor"]
        self.answers[visitor] += 1
        await asyncio.sleep(random.choice(THINKING_SECONDS))
        return self._answer(visitor, "<p class=error>The code was wrong</p>")

    def _answer(self, visitor: str, message: str = "") -> web.Response:
        form = f'<form method=post action="/login/{visitor}"><img src="/captcha.png?{random.random()}" alt=captcha>'
        return web.Response(
            text=f"{message}{form}<input name=code><button>Log in</button></form>", content_type="text/html"
        )

    async def _draw(self, _: web.Request) -> web.Response:
        return self.show_picture(pick_text())


async def kill_workers(fleet: Fleet, site: RefusingSite) -> None:
    """Kill one worker after the other, at any moment of its work, and start another in its place."""
    while True:
        sent = site.answers.total()
        # On a busy machine they'd be killed before they have begun to work, again and again.
        while site.answers.total() == sent:
            await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(random.uniform(*KILL_SECONDS))
        [victim, *_] = [role for role in fleet.roles if role.role == "worker" and role.process.poll() is None]
        victim.kill()
        fleet.start("worker")


async def test_a_site_that_always_refuses_gets_no_more_answers_than_allowed(
    tmp_path: Path, own_redis: RedisServer
) -> None:
    async with RefusingSite() as site:
        target = {"host": "127.0.0.1", "ports": [site.port], "allow_private_addresses": True, **UNLIMITED}
        roles = ("gateway", "scheduler", *["worker"] * WORKERS)
        settings = {"security": {"targets": [target]}}
        async with run_fleet(tmp_path, own_redis.url, *roles, settings=settings) as fleet:
            retries = {f"visitor{number}": number % 4 for number in range(TASKS)}
            fill = {"input": "[name=code]", "submit": "button", "failure": ".error"}
            ids = {
                visitor: await fleet.submit(
                    "", url=site.url(visitor), fill=fill, retry_count=count, timeout=random.choice(TIMEOUTS_SECONDS)
                )
                for visitor, count in retries.items()
            }
            killing = asyncio.ensure_future(kill_workers(fleet, site))
            try:
                patience_seconds = PATIENCE_SECONDS * max(1.0, TASKS / TASKS_OF_ONE_PATIENCE)
                ended = await fleet.wait_final(list(ids.values()), patience_seconds)
            finally:
                killing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await killing
            assert {answer["status"] for answer in ended} == {"failed"}
            for visitor, answer in zip(ids, ended, strict=True):
                # One that was counted may have died with its worker before it was sent.
                assert site.answers[visitor] <= answer["answers"] <= 1 + retries[visitor], answer
            assert site.answers.total() > 0
