"""Callers that submit at a steady pace whatever happens, remember what they were told, and compare it at the end."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from captchad.runtime.spawn import TaskSet
from captchad.sample_site.drawing import Artist, pick_text
from tests.patience import PATIENCE_SECONDS, until_true
from tests.system.fleet import FINAL, Fleet

SUBMITS_PER_SECOND = 20
CANCELLED_ONE_IN = 10
WAIT_SECONDS = 20
PAUSE_SECONDS = 0.2
PATIENCE_PER_SUBMIT_SECONDS = 2.0
COMPARED_AT_ONCE = 20


@dataclass
class Broken:
    """Promises that were broken: tasks answered with 202 that are gone, and final answers that are others now."""

    lost: list[str] = field(default_factory=list)
    changed: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)


class Callers:
    """Submit pictures to the fleet's gateway, follow each task to its end, and cancel every tenth."""

    def __init__(self, fleet: Fleet) -> None:
        self.accepted: list[str] = []
        self.finals: dict[str, dict[str, Any]] = {}
        self.refused = 0
        # A gateway that is started again has its old port.
        [self._gateway_port] = [role.port for role in fleet.roles if role.role == "gateway"]
        self._body = {"image": base64.b64encode(Artist().draw(pick_text())).decode(), "target": "127.0.0.1"}
        self._pace, self._calls = TaskSet("pace"), TaskSet("callers")
        # Unbounded: were connections short, the tasks that are waited for would hold up the submits.
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    def begin(self) -> None:
        """Submit from now on, however long each answer takes."""
        self._pace.spawn(self._submit_steadily(), "submit")

    async def wait_accepted(self, count: int) -> None:
        """Wait until so many tasks are answered with 202."""
        missing = max(0, count - len(self.accepted))
        await until_true(lambda: len(self.accepted) >= count, PATIENCE_SECONDS + missing * PATIENCE_PER_SUBMIT_SECONDS)

    async def stop(self) -> None:
        """Submit no more, and wait until every task has ended or is gone."""
        await self._pace.cancel_all()
        await self._calls.wait_all()

    async def close(self) -> None:
        """Let every call go."""
        await self._pace.cancel_all()
        await self._calls.cancel_all()
        await self._client.close()

    async def compare(self) -> Broken:
        """Hold what callers were told against what is stored now."""
        broken, places = Broken(), asyncio.Semaphore(COMPARED_AT_ONCE)

        async def compare_one(task_id: str) -> None:
            async with places:
                stored = await self._read_final(task_id)
            if stored is None:
                broken.lost.append(task_id)
            elif self.finals.get(task_id, stored) != stored:
                broken.changed[task_id] = self.finals[task_id], stored

        await asyncio.gather(*(compare_one(task_id) for task_id in self.accepted))
        return broken

    async def _submit_steadily(self) -> None:
        for number in itertools.count(1):
            self._calls.spawn(self._call(number), f"call-{number}")
            await asyncio.sleep(1 / SUBMITS_PER_SECOND)

    async def _call(self, number: int) -> None:
        status, answer = await self._ask("POST", "/submit_task", json=self._body)
        if status != HTTPStatus.ACCEPTED:
            self.refused += 1
            return
        task_id = str(answer["task_id"])
        self.accepted.append(task_id)
        if number % CANCELLED_ONE_IN == 0:
            status, answer = await self._ask("POST", f"/cancel_task/{task_id}")
            if status == HTTPStatus.OK:
                self.finals[task_id] = answer
        final = await self._read_final(task_id)
        if final is not None:
            self.finals.setdefault(task_id, final)

    async def _read_final(self, task_id: str) -> dict[str, Any] | None:
        """Return the answer about a task once it has ended, None where there is no such task (any more)."""
        while True:
            status, answer = await self._ask("GET", f"/task_status/{task_id}?wait={WAIT_SECONDS}")
            if status == HTTPStatus.NOT_FOUND:
                return None
            if answer.get("status") in FINAL:
                return answer
            if status != HTTPStatus.OK:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Return status and body; status 0 where there was no answer."""
        url = f"http://127.0.0.1:{self._gateway_port}{path}"
        try:
            async with self._client.request(method, url, **options) as response:
                return response.status, await response.json(content_type=None)
        except aiohttp.ClientError:
            return 0, {}


@asynccontextmanager
async def calling(fleet: Fleet) -> AsyncIterator[Callers]:
    """Have callers submit until they are told to stop; let all their calls go when the block ends."""
    callers = Callers(fleet)
    callers.begin()
    try:
        yield callers
    finally:
        await callers.close()
