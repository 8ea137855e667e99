"""Every kind of task and call that has a secret in it, right and wrong ones."""

import asyncio
import base64
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from captchad.sample_site.drawing import pick_text
from tests.patience import until
from tests.ports import find_free_port
from tests.system.fleet import RoleProcess
from tests.system.secrets_proof.careless_site import ECHOES, SESSION_COOKIE, STORED_NAME, TOKEN_HEADER
from tests.system.secrets_proof.production import HOST, Production

PUBLIC = "metadata-is-kept"
FILL = {"input": "#code", "submit": "#send", "success": "#welcome"}


@dataclass
class Caller:
    """Somebody with a key, and what became of what was asked with it."""

    production: Production
    key: str

    async def post(self, path: str, body: Any, expected: int, **headers: str) -> dict[str, Any]:
        """POST a JSON value, or bytes as they are; return the answer."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-API-Key": self.key, "Content-Type": "application/json", **headers}
        url = f"{self.production.fleet.gateway_url}{path}"
        async with self.production.fleet.client.post(url, data=content, headers=sent) as answer:
            assert answer.status == expected, await answer.text()
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def get(self, url: str, expected: set[int], **headers: str) -> None:
        """GET something of any role."""
        async with self.production.fleet.client.get(url, headers={"X-API-Key": self.key, **headers}) as answer:
            assert answer.status in expected, (url, answer.status, await answer.text())

    async def submit(self, page: str, **fields: Any) -> str:
        """Submit a page of the site with everything secret that a task may have."""
        body = describe(self.production, page) | fields
        return str((await self.post("/submit_task", body, 202))["task_id"])

    async def end(self, *task_ids: str) -> list[dict[str, Any]]:
        """Wait for the end of some tasks."""
        return await self.production.fleet.wait_final(list(task_ids))


def describe(production: Production, page: str) -> dict[str, Any]:
    """Return a task with a session, typed values, evidence and a callback."""
    hidden, base_url = production.secrets, production.site.base_url
    session = {
        "cookies": [{"name": SESSION_COOKIE, "value": hidden.cookie}],
        "headers": {TOKEN_HEADER: f"Bearer {hidden.token}"},
        "local_storage": {STORED_NAME: hidden.stored},
    }
    fields = [{"selector": "#user", "value": "anna"}, {"selector": "#password", "value": hidden.password}]
    return {
        "url": f"{base_url}{page}",
        "session": session,
        "steps": [{"click": "#start"}],
        "fill": {**FILL, "fields": fields},
        "return_session": True,
        "evidence": True,
        "retry_count": 0,
        "metadata": {"note": PUBLIC},
        "callback_url": f"{base_url}/called/200",
    }


async def log_in(caller: Caller) -> str:
    """Log in with everything; return the task, whose result has the session that was left."""
    production = caller.production
    task_id = await caller.submit("/page/plain")
    [ended] = await caller.end(task_id)
    assert ended["status"] == "completed", ended
    assert production.secrets.left in json.dumps(ended["result"]["session"])
    assert production.site.sent[-1]["password"] == production.secrets.password

    async def is_called() -> bool:
        return task_id in {task["task_id"] for task in production.site.callbacks}

    await until(is_called)
    return task_id


async def fail(caller: Caller) -> list[str]:
    """Make tasks fail where their secrets are in the way, one of them with a callback that nobody takes."""
    typed = [{"click": "#start"}, {"type": "#password", "value": caller.production.secrets.password}]
    refused = f"{caller.production.site.base_url}/called/503"
    state = {"cookies": [], "origins": []}
    state["cookies"] = [
        {"name": SESSION_COOKIE, "value": caller.production.secrets.cookie, "domain": HOST, "path": "/", "expires": -1}
        | {"httpOnly": True, "secure": False, "sameSite": "Lax"}
    ]
    task_ids = [
        await caller.submit("/page/plain", fill={**FILL, "input": "#nowhere"}, callback_url=refused),
        await caller.submit("/away", session={"storage_state": state}),
        *[await caller.submit(f"/page/{echo}", steps=typed, fill=FILL) for echo in ECHOES if echo != "plain"],
    ]
    statuses = [task["status"] for task in await caller.end(*task_ids)]
    assert statuses[:2] == ["failed"] * 2
    assert len(await caller.production.run("dead", "list")) > len(task_ids[0])
    return task_ids


@asynccontextmanager
async def open_page(caller: Caller, retry_count: int = 0) -> AsyncIterator[None]:
    """Have a page with everything secret open, then cancel its task."""
    site = caller.production.site
    site.is_waiting.clear()
    task_id = await caller.submit("/never", retry_count=retry_count)
    await site.is_waiting.wait()
    yield
    await caller.post(f"/cancel_task/{task_id}", b"", 200)


async def send_pictures(caller: Caller) -> None:
    """Submit a picture by itself, in a batch and in the dialects, and report on it."""
    picture = base64.b64encode(caller.production.site.draw(pick_text())).decode()
    task = {"image": picture, "target": HOST, "evidence": True}
    once = caller.production.secrets.idempotency_key
    task_id = (await caller.post("/submit_task", task, 202, **{"Idempotency-Key": once}))["task_id"]
    batch = [task, describe(caller.production, "/page/plain")]
    many = (await caller.post("/submit_batch", {"tasks": batch}, 202))["tasks"]
    ended = await caller.end(task_id, *(one["task_id"] for one in many))
    assert {one["status"] for one in ended} == {"completed"}, ended
    await caller.post(f"/report_answer/{task_id}", {"right": True}, 200)
    task = {"type": "ImageToTextTask", "body": picture}
    made = await caller.post("/createTask", {"clientKey": caller.key, "task": task}, 200)
    assert made["errorId"] == 0, made
    await caller.post("/getTaskResult", {"clientKey": caller.key, "taskId": made["taskId"]}, 200)
    base_url = caller.production.fleet.gateway_url
    await caller.get(f"{base_url}/res.php?key={caller.key}&action=getbalance", {200})
    basic = base64.b64encode(f":{caller.key}".encode()).decode()
    await caller.post("/ocr", {"image": picture}, 200, Authorization=f"Basic {basic}")


async def misplace(caller: Caller) -> None:
    """Send keys and secrets where they do not belong, and bodies that are refused for what is in them."""
    production, stray = caller.production, caller.production.secrets.misplaced
    for role in production.fleet.roles:
        base_url = f"http://{HOST}:{role.port}"
        for place in (f"/metrics?api_key={caller.key}", f"/{caller.key}", f"/task_status/{caller.key}?key={stray}"):
            await caller.get(f"{base_url}{place}", {200, 400, 403, 404})
        for key in (stray, f"{caller.key}x", f"ck_000000000000_{stray}"):
            await caller.get(f"{base_url}/status/config", {401}, Authorization=f"Bearer {key}", **{"X-API-Key": key})
        await send_broken(role, caller.key, stray)
    page = describe(production, "/page/plain")
    foreign = {"cookies": [{"name": "a", "value": stray, "domain": "other.example"}]}
    for wrong in (
        {"session": foreign},
        {"session": {"headers": {"Host": stray}}},
        {"fill": {"input": "#a", "fields": [{"selector": "#b", "value": f"{stray}\n"}]}},
        {"password": stray},
        {"metadata": stray},
    ):
        await caller.post("/submit_task", page | wrong, 400)
    with_password = page["url"].replace("//", f"//anna:{stray}@")
    await caller.post("/submit_task", page | {"url": with_password}, 403)
    await caller.post("/submit_task", json.dumps(page).encode()[:-1], 400)
    await caller.post("/createTask", {"clientKey": stray, "task": {}}, 200)
    await caller.post("/createTask", f'{{"clientKey": "{caller.key}", '.encode(), 200)
    await caller.post("/submit_task", page, 401, **{"X-API-Key": production.secrets.keys["former"]})


async def send_broken(role: RoleProcess, key: str, stray: str) -> None:
    """Send what is not HTTP, with a key in it."""
    reader, writer = await asyncio.open_connection(HOST, role.port)
    writer.write(f"GET /health?{stray} HTTP/1.1\r\nAuthorization: Bearer {key}\r\n{stray}\0: {key}\r\n\r\n".encode())
    assert b" 400 " in await reader.readline()
    writer.close()


async def misconfigure(production: Production) -> None:
    """Reload with secrets that are refused, start with a password that Redis refuses, and mend it."""
    file, [gateway] = production.fleet.folder / "secrets.json", find(production, "gateway")
    right, stray = file.read_text(), production.secrets.misplaced
    wrong = json.loads(right)
    wrong["security"]["session_key"] = stray[:31]
    wrong["redis"]["master"]["password"] = {"is": stray}
    for text in (json.dumps(wrong), right.replace('"session_key"', f'"session_key": "{stray}" "x"')):
        before = gateway.log.count("rejected")
        file.write_text(text)
        gateway.signal(signal.SIGHUP)
        await until(lambda before=before: log_has(gateway, "rejected", before))  # type: ignore[misc]
    file.write_text(right)
    production.fleet.environment["REDIS_PASSWORD"] = stray
    refused = production.fleet.start("scheduler", find_free_port())
    del production.fleet.environment["REDIS_PASSWORD"]
    assert await refused.wait() != 0, refused.log


async def log_has(role: RoleProcess, words: str, before: int) -> bool:
    return role.log.count(words) > before


def find(production: Production, name: str) -> list[RoleProcess]:
    return [one for one in production.fleet.roles if one.role == name and one.process.poll() is None]
