"""Honest tasks beside attacks on one fleet, and what is watched meanwhile."""

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psutil

from tests.integration.browser.hostile_site import HostileSite
from tests.patience import PATIENCE_SECONDS
from tests.system.fleet import FINAL, Fleet
from tests.system.hostile_proof.attacks import ATTACKS, WANTS_SESSION, put_attacks

HONEST_AT_ONCE = 3
ATTACKS_AT_ONCE = 2
ATTACK_SECONDS = 5
LISTENING_PAUSE_SECONDS = 0.05
WAIT_SECONDS = 20


@dataclass
class Ending:
    """How a task ended: its answer as it came, and what it was about."""

    name: str
    text: str

    @property
    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.text)
        return answer


@dataclass
class Siege:
    """One fleet under attack."""

    fleet: Fleet
    site: HostileSite
    honest: list[Ending] = field(default_factory=list)
    hostile: list[Ending] = field(default_factory=list)
    longest_silence_seconds: dict[str, float] = field(default_factory=dict)

    async def run(self, visits: int) -> None:
        """Make so many hostile visits, with honest ones beside them and ears at every role."""
        paths = put_attacks(self.site)
        self.site.put_page("/honest", "<img id=captcha src=/picture><input name=captcha>")
        names = itertools.islice(itertools.cycle(ATTACKS), visits)
        listening = [asyncio.ensure_future(self._listen(role.role, role.port)) for role in self.fleet.roles]
        beside = [asyncio.ensure_future(self._go_on()) for _ in range(HONEST_AT_ONCE)]
        try:
            await asyncio.gather(*(self._attack(names, paths) for _ in range(ATTACKS_AT_ONCE)))
            # An honest task that is under way still has its chance.
            await self.visit_honestly()
        finally:
            for task in (*listening, *beside):
                task.cancel()
            results = await asyncio.gather(*listening, *beside, return_exceptions=True)
        assert not [one for one in results if isinstance(one, Exception)]

    async def visit_honestly(self) -> None:
        """Have one honest page read."""
        self.honest.append(await self._solve("honest", "/honest", timeout=PATIENCE_SECONDS))

    async def _go_on(self) -> None:
        while True:
            await self.visit_honestly()

    async def _attack(self, names: Iterator[str], paths: dict[str, str]) -> None:
        for name in names:
            fields: dict[str, Any] = {"timeout": ATTACK_SECONDS, "retry_count": 0}
            if name in WANTS_SESSION:
                fields["return_session"] = True
            self.hostile.append(await self._solve(name, paths[name], **fields))

    async def _solve(self, name: str, path: str, **fields: Any) -> Ending:
        task_id = await self.fleet.submit("", url=self.site.url(path), **fields)
        url = f"{self.fleet.gateway_url}/task_status/{task_id}?wait={WAIT_SECONDS}"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with self.fleet.client.get(url) as response:
                    text = await response.text()
                    if json.loads(text)["status"] in FINAL:
                        return Ending(name, text)

    async def _listen(self, role: str, port: int) -> None:
        """Ask a role for a sign of life over and over, and note its longest silence."""
        url = f"http://127.0.0.1:{port}/livez"
        while True:
            asked_seconds = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self.fleet.client.get(url) as response:
                    assert response.status == 200
            silence = time.monotonic() - asked_seconds
            self.longest_silence_seconds[role] = max(silence, self.longest_silence_seconds.get(role, 0.0))
            await asyncio.sleep(LISTENING_PAUSE_SECONDS)

    async def show(self, *arguments: str) -> str:
        """Return what a command prints, on standard output and error."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "captchad",
            *arguments,
            "--gateway",
            self.fleet.gateway_url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return output.decode()


def measure_worker_bytes(fleet: Fleet) -> int:
    """Return the memory of the worker's own process; its driver and its browser are others."""
    [worker] = [role for role in fleet.roles if role.role == "worker"]
    resident: int = psutil.Process(worker.process.pid).memory_info().rss
    return resident
