"""A real fleet for a test: real processes on loopback, a real Redis, a site whose pages wait to be let through."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import aiohttp
import psutil
from aiohttp import web

from captchad.broker.address import open_clients
from captchad.config.settings import RedisSection
from captchad.sample_site.drawing import pick_text
from tests.patience import PATIENCE_SECONDS, until
from tests.ports import find_free_port
from tests.processes import list_descendants
from tests.system.own_site import OwnSite

FINAL = {"completed", "failed", "cancelled"}
WAIT_SECONDS = 20.0
UNLIMITED = {"max_per_minute": 1_000_000, "max_concurrent": 1000}


class GatedSite(OwnSite):
    """A captcha site whose pages are held back until the gate is opened; it knows every page's truth."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.truths: dict[str, str] = {}
        self.pictures: dict[str, bytes] = {}
        self.visits: list[str] = []
        self.retry_after_seconds: int | None = None
        super().__init__(
            web.get("/page/{visit}", self._answer_page), web.get("/captcha/{visit}.png", self._answer_picture)
        )

    async def close(self) -> None:
        self.gate.set()
        await super().close()

    def url(self, visit: str) -> str:
        return f"{self.base_url}/page/{visit}"

    async def _answer_page(self, request: web.Request) -> web.Response:
        visit = request.match_info["visit"]
        self.visits.append(visit)
        if self.retry_after_seconds is not None:
            return web.Response(status=429, headers={"Retry-After": str(self.retry_after_seconds)})
        await self.gate.wait()
        page = f'<form><img src="/captcha/{visit}.png" alt="captcha"><input name="captcha"></form>'
        return web.Response(text=page, content_type="text/html")

    async def _answer_picture(self, request: web.Request) -> web.Response:
        visit, text = request.match_info["visit"], pick_text()
        self.truths[visit], self.pictures[visit] = text, self.draw(text)
        return web.Response(body=self.pictures[visit], content_type="image/png")


@dataclass
class RoleProcess:
    """One running role."""

    role: str
    port: int
    process: subprocess.Popen[bytes]
    log_path: Path

    def runs(self, worker: str | None) -> bool:
        """Whether this is the worker of that name, which ends with its process id."""
        return worker is not None and worker.endswith(f"-{self.process.pid}")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        return await asyncio.to_thread(self.process.wait, seconds)

    @property
    def log(self) -> str:
        return self.log_path.read_text()


@dataclass
class Fleet:
    """Roles of one test, the site they may visit, and a client of the gateway."""

    folder: Path
    redis_url: str
    environment: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    target_limits: dict[str, int] = field(default_factory=lambda: dict(UNLIMITED))
    site: GatedSite = field(default_factory=GatedSite)
    roles: list[RoleProcess] = field(default_factory=list)
    trust: ssl.SSLContext | None = None
    """Whom the client believes, where the roles speak TLS."""

    async def __aenter__(self) -> "Fleet":
        await self.site.start()
        connector = aiohttp.TCPConnector(ssl=True if self.trust is None else self.trust)
        self.client = aiohttp.ClientSession(connector=connector)
        target = {"host": "127.0.0.1", "ports": [self.site.port], "allow_private_addresses": True}
        target |= self.target_limits
        settings = {"gateway": {"rate_limit": {"enabled": False}}, "security": {"targets": [target]}} | self.settings
        (self.folder / "config.json").write_text(json.dumps(settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for role in self.roles:
            _end_tree(role.process)
        await self.client.close()
        await self.site.close()

    def start(self, role: str, port: int | None = None, source: Path | None = None) -> RoleProcess:
        """Start a role of this checkout, or of the one in `source`."""
        port = port or find_free_port()
        log_path = self.folder / f"{role}-{len(self.roles)}.log"
        arguments = ["--role", role, "--config", str(self.folder / "config.json"), "--port", str(port)]
        environment = os.environ | {"CAPTCHAD_STATE_DIRECTORY": str(self.folder / "state")}
        if self.redis_url:
            environment["REDIS_URL"] = self.redis_url
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "captchad", *arguments],
                stdout=log,
                stderr=log,
                env=environment | self.environment | ({"PYTHONPATH": str(source)} if source else {}),
                # `python -m` looks there first.
                cwd=source,
                start_new_session=True,
            )
        self.roles.append(RoleProcess(role, port, process, log_path))
        return self.roles[-1]

    async def start_ready(self, *names: str) -> list[RoleProcess]:
        roles = [self.start(name) for name in names]
        for role in roles:
            await self.wait_ready(role)
        return roles

    async def wait_ready(self, role: RoleProcess) -> None:
        async def is_ready() -> bool:
            assert role.process.poll() is None, role.log
            with contextlib.suppress(aiohttp.ClientError):
                async with self.client.get(f"{self.scheme}://127.0.0.1:{role.port}/readyz") as response:
                    return response.status == 200
            return False

        await until(is_ready)

    @property
    def scheme(self) -> str:
        return "http" if self.trust is None else "https"

    @property
    def gateway_url(self) -> str:
        gateways = [role for role in self.roles if role.role == "gateway" and role.process.poll() is None]
        return f"{self.scheme}://127.0.0.1:{gateways[-1].port}"

    async def submit(self, visit: str, **fields: Any) -> str:
        body = {"url": self.site.url(visit)} | fields
        async with self.client.post(f"{self.gateway_url}/submit_task", json=body) as response:
            answer = await response.json(content_type=None)
            assert response.status == 202, answer
            return str(answer["task_id"])

    async def status(self, task_id: str, wait_seconds: float = 0) -> dict[str, Any]:
        async with self.client.get(f"{self.gateway_url}/task_status/{task_id}?wait={wait_seconds:g}") as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            assert response.status == 200, answer
            return answer

    async def wait_final(self, task_ids: list[str], within_seconds: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(self._wait_final_one(task_id, within_seconds) for task_id in task_ids)))

    async def _wait_final_one(self, task_id: str, within_seconds: float) -> dict[str, Any]:
        async def is_final() -> dict[str, Any] | None:
            answer = await self.status(task_id, WAIT_SECONDS)
            return answer if answer["status"] in FINAL else None

        return cast("dict[str, Any]", await until(is_final, within_seconds))

    async def wait_visited(self, visit: str) -> None:
        async def is_visited() -> bool:
            return visit in self.site.visits

        await until(is_visited)

    async def wait_processing(self, task_ids: list[str], attempt: int = 1) -> None:
        async def are_processing() -> bool:
            answers = await asyncio.gather(*(self.status(task_id) for task_id in task_ids))
            return all(answer["status"] == "processing" and answer["attempts"] == attempt for answer in answers)

        await until(are_processing)

    async def list_stream_entries(self) -> int:
        """Return how many entries and pending deliveries all streams hold."""
        clients = open_clients(RedisSection(), "test", self.redis_url)
        found = 0
        for key in await clients.commands.keys("captchad:*queue*"):
            found += await clients.commands.xlen(key)
            found += (await clients.commands.xpending(key, "workers"))["pending"]
        await clients.close()
        return found


def list_tree(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return a process and all its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [psutil.Process(process.pid), *list_descendants(process.pid)]
    return []


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    tree = list_tree(process)
    for member in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGKILL)
    process.wait()


@contextlib.asynccontextmanager
async def run_fleet(folder: Path, redis_url: str, *roles: str, **options: Any) -> AsyncIterator[Fleet]:
    """Run some roles until the test ends."""
    async with Fleet(folder, redis_url, **options) as fleet:
        await fleet.start_ready(*roles)
        yield fleet
