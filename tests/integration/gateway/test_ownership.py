"""Whose tasks a key sees and touches: its own, unless its scopes say more, and never beyond its targets."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson
import pytest

from captchad.broker.connection import Broker
from captchad.broker.learned_models import LearnedModels
from captchad.domain.api_key import Scope
from captchad.domain.identifier import make_task_id
from captchad.domain.learned_model import PACKAGED
from captchad.domain.page import Cookie, Evidence, SessionState
from tests.integration.gateway.conftest import OWN_LISTENERS, RunningGateway, StartGateway, configure
from tests.integration.gateway.test_sessions import PNG, complete
from tests.patience import PATIENCE_SECONDS, until_true

ID_OR_REQUEST = re.compile(r'"request_id":"[^"]*"')
A, B, ELSEWHERE = "http://a.sites.example.org/", "http://b.sites.example.org/", "http://captcha.example.com/"
STATE = SessionState((Cookie("sid", "open-sesame"),), {}, {})


@dataclass
class Callers:
    """A gateway with keys, and the tasks that were submitted with them."""

    gateway: RunningGateway
    keys: dict[str, dict[str, str]] = field(default_factory=dict)

    async def create(self, name: str, *scopes: Scope, targets: tuple[str, ...] = ()) -> None:
        text, _ = await self.gateway.keys.create(name, frozenset(scopes), targets)
        self.keys[name] = {"X-API-Key": text}

    async def submit(self, name: str, url: str, **fields: object) -> str:
        body = {"url": url} | fields
        async with self.gateway.session.post("/submit_task", json=body, headers=self.keys[name]) as answer:
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["task_id"])

    async def get(self, name: str, path: str) -> int:
        async with self.gateway.session.get(path, headers=self.keys[name]) as answer:
            return answer.status

    async def cancel(self, name: str, task_id: str) -> int:
        async with self.gateway.session.post(f"/cancel_task/{task_id}", headers=self.keys[name]) as answer:
            return answer.status

    async def list_ids(self, name: str, query: str = "") -> set[str]:
        async with self.gateway.session.get(f"/tasks{query}", headers=self.keys[name]) as answer:
            return {task["task_id"] for task in (await answer.json())["tasks"]}


@pytest.fixture
async def callers(start_gateway: StartGateway) -> AsyncIterator[Callers]:
    """Two users, somebody who may see everything, an admin, and both of these for one target alone."""
    async with start_gateway(configure(api_key_required=True)) as gateway:
        found = Callers(gateway)
        for name in ("ann", "bob"):
            await found.create(name, Scope.SUBMIT, Scope.READ)
        await found.create("auditor", Scope.READ_ALL)
        await found.create("admin", Scope.ADMIN)
        await found.create("auditor of a", Scope.READ_ALL, targets=("a.sites.example.org",))
        await found.create("admin of a", Scope.ADMIN, targets=("a.sites.example.org",))
        yield found


async def test_a_key_sees_its_own_tasks_and_no_others(callers: Callers, broker: Broker) -> None:
    task_id = await callers.submit("ann", A, return_session=True, evidence=True)
    await complete(broker, STATE, Evidence(PNG, PNG))
    paths = (
        f"/task_status/{task_id}",
        f"/task_status/{task_id}?wait=1",
        f"/task_evidence/{task_id}/image",
        f"/task_evidence/{task_id}/screenshot",
    )
    for path in paths:
        for name, status in (("ann", 200), ("auditor", 200), ("admin", 200), ("auditor of a", 200), ("bob", 404)):
            assert await callers.get(name, path) == status, (name, path)
    headers = callers.keys["auditor of a"]
    async with callers.gateway.session.get(paths[0], headers=headers) as answer:
        assert (await answer.json())["result"]["session"]["cookies"][0]["value"] == "open-sesame"


async def test_a_task_from_before_tasks_had_owners_is_for_those_who_may_see_all(
    callers: Callers, broker: Broker
) -> None:
    task_id = await callers.submit("ann", A, evidence=True)
    record = broker.partitions[0].task(task_id)
    request = orjson.loads(await broker.client.hget(record, "request"))
    assert request.pop("key_id")
    await broker.client.hset(record, "request", orjson.dumps(request))
    assert await broker.client.hdel(record, "key_id") == 1
    heard: dict[str, list[tuple[str, str]]] = {"ann": [], "auditor": []}
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for name, found in heard.items():
            group.create_task(listen(callers, name, found))
        await until_true(lambda: callers.gateway.feed.health().details["listeners"] == len(heard) + OWN_LISTENERS)
        for name in ("ann", "bob"):
            for path in ("task_status", "task_evidence"):
                end = "/image" if path == "task_evidence" else ""
                assert await callers.get(name, f"/{path}/{task_id}{end}") == 404
            assert await callers.cancel(name, task_id) == 404
            assert await callers.list_ids(name) == set()
        for name in ("auditor", "auditor of a", "admin"):
            assert await callers.get(name, f"/task_status/{task_id}") == 200
            assert await callers.list_ids(name) == {task_id}
        assert await callers.cancel("admin", task_id) == 200
        await until_true(lambda: (task_id, "cancelled") in heard["auditor"])
        await callers.gateway.server.drain()
    assert heard["ann"] == []


async def test_nobody_waits_for_the_end_of_anothers_task(callers: Callers) -> None:
    task_id = await callers.submit("ann", A)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await callers.get("bob", f"/task_status/{task_id}?wait=60") == 404


async def test_a_key_cancels_its_own_tasks_and_only_an_admin_others(callers: Callers) -> None:
    task_id, elsewhere = await callers.submit("ann", A), await callers.submit("ann", ELSEWHERE)
    await callers.create("auditor who submits", Scope.READ_ALL, Scope.SUBMIT)
    for name, status in (("bob", 404), ("auditor", 403), ("auditor who submits", 403)):
        assert await callers.cancel(name, task_id) == status
    assert await callers.cancel("admin of a", elsewhere) == 404
    assert await callers.cancel("admin of a", task_id) == 200
    assert await callers.cancel("ann", elsewhere) == 200


async def test_somebody_elses_task_looks_like_none(callers: Callers) -> None:
    headers = callers.keys["bob"]
    answers = []
    for task_id in (await callers.submit("ann", A), make_task_id(0), make_task_id(200)):
        for method, path in (("GET", f"/task_status/{task_id}"), ("POST", f"/cancel_task/{task_id}")):
            async with callers.gateway.session.request(method, path, headers=headers) as answer:
                body = await answer.text()
                answers.append((method, answer.status, ID_OR_REQUEST.sub("", body.replace(task_id, "TASK"))))
    assert answers[:2] == answers[2:4] == answers[4:]
    assert {status for _, status, _ in answers} == {404}


async def test_lists_hold_the_tasks_that_a_key_may_see(callers: Callers) -> None:
    ann, bob = await callers.submit("ann", A), await callers.submit("bob", A)
    elsewhere = await callers.submit("bob", ELSEWHERE)
    assert await callers.list_ids("ann") == {ann}
    assert await callers.list_ids("bob") == {bob, elsewhere}
    assert await callers.list_ids("bob", "?status=pending&target=captcha.example.com") == {elsewhere}
    assert await callers.list_ids("auditor") == await callers.list_ids("admin") == {ann, bob, elsewhere}
    assert await callers.list_ids("auditor of a") == {ann, bob}


async def test_a_key_hears_of_its_own_tasks_alone(callers: Callers) -> None:
    heard: dict[str, list[tuple[str, str]]] = {"ann": [], "auditor": [], "auditor of a": []}
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for name, found in heard.items():
            group.create_task(listen(callers, name, found))
        await until_true(lambda: callers.gateway.feed.health().details["listeners"] == len(heard) + OWN_LISTENERS)
        bob, ann = await callers.submit("bob", ELSEWHERE), await callers.submit("ann", B)
        await callers.gateway.store.cancel(ann)
        await until_true(lambda: (ann, "cancelled") in heard["auditor"] and (ann, "cancelled") in heard["ann"])
        await callers.gateway.server.drain()
    assert heard["ann"] == [(ann, "pending"), (ann, "cancelled")]
    assert heard["auditor"] == [(bob, "pending"), (ann, "pending"), (ann, "cancelled")]
    assert heard["auditor of a"] == []


async def test_a_key_hears_of_models_of_targets_that_it_may_use(callers: Callers, broker: Broker) -> None:
    heard: dict[str, list[tuple[str, str]]] = {"ann": [], "auditor of a": []}
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        for name, found in heard.items():
            group.create_task(listen(callers, name, found))
        await until_true(lambda: callers.gateway.feed.health().details["listeners"] == len(heard) + OWN_LISTENERS)
        for host in ("a.sites.example.org", "captcha.example.com"):
            await LearnedModels(broker).install(host, b"model", PACKAGED)
        await until_true(lambda: len(heard["ann"]) == 2)
        await callers.gateway.server.drain()
    assert heard["ann"] == [("a.sites.example.org", "model_installed"), ("captcha.example.com", "model_installed")]
    assert heard["auditor of a"] == [("a.sites.example.org", "model_installed")]


async def listen(callers: Callers, name: str, heard: list[tuple[str, str]]) -> None:
    """Add to `heard` the tasks and models that a key hears of, until the stream ends."""
    async with callers.gateway.session.get("/events", headers=callers.keys[name]) as stream:
        async for line in stream.content:
            if line.startswith(b"data: ") and b"task_id" in line:
                payload = orjson.loads(line.removeprefix(b"data: "))
                assert "key_id" not in payload
                heard.append((payload["task_id"], payload["status"]))
            elif line.startswith(b"data: ") and b"model" in line:
                payload = orjson.loads(line.removeprefix(b"data: "))
                heard.append((payload["target"], payload["change"]))
