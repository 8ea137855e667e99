"""What callers do and try at the gateway is in the audit log, and nothing that they keep secret."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import AUDIT_LOG, api_key
from captchad.domain.api_key import KeyLimits, Scope
from captchad.domain.audit import find_faults
from captchad.domain.identifier import make_task_id
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.integration.gateway.test_sessions import PNG
from tests.patience import until

HOST = "captcha.example.com"
URL = f"http://{HOST}/login?token=of-the-query"
SCOPES = frozenset({Scope.SUBMIT, Scope.READ})
SECRETS = ("open-sesame", "typed-value", "of-the-query", "header-value", "stored-value", "in-metadata", "once-only")
RICH = {
    "url": URL,
    "session": {
        "cookies": [{"name": "sid", "value": "open-sesame"}],
        "headers": {"X-Tenant": "header-value"},
        "local_storage": {"theme": "stored-value"},
    },
    "steps": [{"type": "#user", "value": "typed-value"}],
    "metadata": {"note": "in-metadata"},
}


async def read_acts(gateway: RunningGateway, count: int) -> list[dict[str, Any]]:
    """Return the acts once so many are written; their chain is whole."""
    await until(lambda: _has(gateway, count))
    entries, chain = await gateway.audit_log.read_whole()
    assert chain is not None
    assert list(find_faults(entries, chain)) == []
    return [orjson.loads(entry.act) for entry in entries]


async def _has(gateway: RunningGateway, count: int) -> bool:
    entries, _ = await gateway.audit_log.read_whole()
    return len(entries) >= count


async def call(gateway: RunningGateway, method: str, path: str, key: str | None, **more: Any) -> tuple[int, Any]:
    headers = ({"X-API-Key": key} if key else {}) | more.pop("headers", {})
    async with gateway.session.request(method, path, headers=headers, **more) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_who_does_what_is_written_down(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        text, key = await gateway.keys.create("robot", SCOPES, (HOST,))
        admin_text, admin = await gateway.keys.create("admin", frozenset({Scope.ADMIN}), ())
        status, task = await call(
            gateway, "POST", "/submit_task", text, json=RICH, headers={"Idempotency-Key": "once-only"}
        )
        assert status == 202, task
        picture = {"image": base64.b64encode(PNG).decode(), "target": HOST}
        _, batch = await call(gateway, "POST", "/submit_batch", text, json={"tasks": [{"url": URL}, picture]})
        assert (await call(gateway, "POST", f"/cancel_task/{task['task_id']}", text))[0] == 200
        assert (await call(gateway, "POST", f"/reopen_target/{HOST}", admin_text))[0] == 200
        assert (await call(gateway, "GET", f"/task_status/{task['task_id']}", text))[0] == 200
        acts = await read_acts(gateway, 4)
        stored = b"".join(
            b"".join(fields.values()) for _, fields in await gateway.audit_log._broker.client.xrange(AUDIT_LOG)
        )
    common = {"outcome": "done", "address": "127.0.0.1"}
    batch_ids = [one["task_id"] for one in batch["tasks"]]
    by_robot = common | {"key_id": key.key_id}
    assert sorted(acts, key=lambda act: str(act["action"])) == [
        {"action": "cancel_task", **by_robot, "object": {"task_id": task["task_id"]}},
        {"action": "reopen_target", **common, "key_id": admin.key_id, "object": {"host": HOST}},
        {
            "action": "submit_batch",
            **by_robot,
            "object": {"hosts": [HOST], "pictures": [hashlib.sha256(PNG).hexdigest()], "task_ids": batch_ids},
        },
        {"action": "submit_task", **by_robot, "object": {"hosts": [HOST], "task_ids": [task["task_id"]]}},
    ]
    for secret in (*SECRETS, text, text.rpartition("_")[2]):
        assert secret.encode() not in stored


async def test_every_refused_attempt_is_written_down(start_gateway: StartGateway, broker: Broker) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        bound, bound_key = await gateway.keys.create("bound", SCOPES, ("elsewhere.example.net",), KeyLimits(1, 3))
        reader, reader_key = await gateway.keys.create("reader", frozenset({Scope.READ}), ())
        gone, gone_key = await gateway.keys.create("gone", SCOPES, ())
        await broker.client.hset(api_key(gone_key.key_id), "expires_ms", 1)
        unknown, task_id = f"ck_{'0' * 12}_{'1' * 64}", make_task_id(0)
        attempts: list[tuple[Callable[[], Awaitable[tuple[int, Any]]], dict[str, Any]]] = [
            (
                lambda: call(gateway, "POST", "/submit_task", unknown, json={"url": URL}),
                {"action": "submit_task", "outcome": "unauthorized"},
            ),
            (
                lambda: call(gateway, "POST", "/submit_task", gone, json={"url": URL}),
                {"action": "submit_task", "outcome": "unauthorized", "key_id": gone_key.key_id},
            ),
            (
                lambda: call(gateway, "POST", "/submit_task", bound, json={"url": URL}),
                {
                    "action": "submit_task",
                    "outcome": "target_not_allowed",
                    "key_id": bound_key.key_id,
                    "object": {"hosts": [HOST]},
                },
            ),
            (
                lambda: call(gateway, "POST", f"/cancel_task/{task_id}", bound),
                {
                    "action": "cancel_task",
                    "outcome": "task_not_found",
                    "key_id": bound_key.key_id,
                    "object": {"task_id": task_id},
                },
            ),
            (
                lambda: call(gateway, "POST", "/cancel_task/hunter2", bound),
                {"action": "cancel_task", "outcome": "task_not_found", "key_id": bound_key.key_id},
            ),
            (
                lambda: call(gateway, "POST", "/submit_task", bound, json={"url": URL}),
                {"action": "submit_task", "outcome": "rate_limited", "key_id": bound_key.key_id},
            ),
            (
                lambda: call(gateway, "POST", "/submit_task", reader, json={"url": URL}),
                {"action": "submit_task", "outcome": "forbidden", "key_id": reader_key.key_id},
            ),
            (
                lambda: call(gateway, "GET", "/status/config", reader),
                {"action": "status", "outcome": "forbidden", "key_id": reader_key.key_id},
            ),
            (lambda: call(gateway, "GET", "/stats", None), {"action": "stats", "outcome": "unauthorized"}),
        ]
        for index, (attempt, expected) in enumerate(attempts, start=1):
            assert (await attempt())[0] >= 400
            acts = await read_acts(gateway, index)
            assert acts[-1] == expected | {"address": "127.0.0.1"}
        # What is read is written down only where it is refused.
        assert (await call(gateway, "GET", "/stats", reader))[0] == 200
        assert len(await read_acts(gateway, len(attempts))) == len(attempts)


async def test_a_flood_of_refusals_stays_small(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        for _ in range(200):
            assert (await call(gateway, "POST", "/submit_task", "ck_0_0", json={"url": URL}))[0] == 401

        async def is_counted() -> bool:
            entries, _ = await gateway.audit_log.read_whole()
            return bool(sum(orjson.loads(entry.act).get("count", 1) for entry in entries) == 200)

        await until(is_counted)
        entries, _ = await gateway.audit_log.read_whole()
        assert len(entries) < 200
