"""What a key's own limits, expiry and rotation mean to who calls with it."""

import asyncio
import math
from typing import Any

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import api_key
from captchad.config.settings import GatewaySection, RateLimitSection
from captchad.domain.api_key import KeyLimits, Scope
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.patience import PATIENCE_SECONDS

URL = "http://captcha.example.com/"
SCOPES = frozenset({Scope.SUBMIT, Scope.READ})
UNLIMITED = RateLimitSection(enabled=False)


async def post(gateway: RunningGateway, path: str, key: str, body: object, **headers: str) -> tuple[int, Any, Any]:
    """Return status, body and headers of an answer."""
    async with gateway.session.post(path, json=body, headers={"X-API-Key": key} | headers) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


async def test_a_keys_own_rate_holds_for_it_alone(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        limited, _ = await gateway.keys.create("limited", SCOPES, (), KeyLimits(1, 2))
        free, _ = await gateway.keys.create("free", SCOPES, ())
        statuses = [(await post(gateway, "/submit_task", limited, {"url": URL}))[0] for _ in range(3)]
        assert statuses == [202, 202, 429]
        status, problem, headers = await post(gateway, "/submit_task", limited, {"url": URL})
        assert (status, problem["code"]) == (429, "rate_limited")
        assert "this key: its own --rate is used up" in problem["detail"]
        # One request a minute: the next one a minute after the first.
        assert 50 <= int(headers["Retry-After"]) <= 60
        assert headers["RateLimit-Limit"] == "2"
        for _ in range(5):
            assert (await post(gateway, "/submit_task", free, {"url": URL}))[0] == 202


async def test_a_quota_counts_what_is_stored_and_nothing_else(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        text, _ = await gateway.keys.create("limited", SCOPES, (), KeyLimits(daily_quota=3))
        assert (await post(gateway, "/submit_task", text, {"url": "http://elsewhere.example/"}))[0] == 403
        assert (await post(gateway, "/submit_task", text, {"url": 1}))[0] == 400
        first = await post(gateway, "/submit_task", text, {"url": URL}, **{"Idempotency-Key": "1"})
        conflict = await post(gateway, "/submit_task", text, {"url": URL, "retry_count": 1}, **{"Idempotency-Key": "1"})
        assert (first[0], conflict[0]) == (202, 422)
        batch = await post(gateway, "/submit_batch", text, {"tasks": [{"url": URL}] * 3})
        assert (batch[0], batch[1]["code"]) == (429, "quota_exceeded")
        assert "2 of the 3 tasks a day" in batch[1]["detail"]
        assert (await post(gateway, "/submit_batch", text, {"tasks": [{"url": URL}] * 2}))[0] == 202
        status, problem, headers = await post(gateway, "/submit_task", text, {"url": URL}, **{"Idempotency-Key": "2"})
        assert (status, problem["code"]) == (429, "quota_exceeded")
        assert 0 < int(headers["Retry-After"]) <= 86_400
        # A submit that was stored before is answered again, whatever has been used up since.
        again = await post(gateway, "/submit_task", text, {"url": URL}, **{"Idempotency-Key": "1"})
        assert (again[0], again[1]["task_id"]) == (202, first[1]["task_id"])
        async with gateway.session.get(f"/task_status/{first[1]['task_id']}", headers={"X-API-Key": text}) as answer:
            assert answer.status == 200


async def test_what_a_full_queue_refuses_counts_for_no_quota(start_gateway: StartGateway) -> None:
    full = GatewaySection(rate_limit=UNLIMITED, queue_limit=1)
    async with start_gateway(configure(full, api_key_required=True)) as gateway:
        text, _ = await gateway.keys.create("limited", SCOPES, (), KeyLimits(daily_quota=2))
        assert (await post(gateway, "/submit_task", text, {"url": URL}))[0] == 202
        for _ in range(3):
            status, problem, _ = await post(gateway, "/submit_task", text, {"url": URL})
            assert (status, problem["code"]) == (503, "queue_full")


async def test_an_expired_key_is_refused_and_told_what_to_do(start_gateway: StartGateway, broker: Broker) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        text, key = await gateway.keys.create("robot", SCOPES, (), expires_in_seconds=60)
        status, task, _ = await post(gateway, "/submit_task", text, {"url": URL})
        assert status == 202
        wait = gateway.session.get(f"/task_status/{task['task_id']}?wait=60", headers={"X-API-Key": text})
        waiting = asyncio.ensure_future(wait)
        await broker.client.hset(api_key(key.key_id), "expires_ms", await broker.time_ms())
        status, problem, _ = await post(gateway, "/submit_task", text, {"url": URL})
        assert (status, problem["code"]) == (401, "unauthorized")
        assert "expired on" in problem["detail"]
        assert "captchad keys rotate" in problem["detail"]
        # What was begun before ends too.
        async with asyncio.timeout(PATIENCE_SECONDS), await waiting as answer:
            assert answer.status == 401


async def test_two_gateways_share_the_rate_of_a_key(start_gateway: StartGateway, broker: Broker) -> None:
    requests_per_minute, burst, calls = 600, 20, 400
    async with (
        start_gateway(configure(api_key_required=True)) as one,
        start_gateway(configure(api_key_required=True)) as other,
    ):
        text, _ = await one.keys.create("limited", SCOPES, (), KeyLimits(requests_per_minute, burst))
        started_ms = await broker.time_ms()
        answers = await asyncio.gather(
            *(post(gateway, "/submit_task", text, {"url": URL}) for gateway in (one, other) * (calls // 2))
        )
        seconds = (await broker.time_ms() - started_ms) / 1000
    accepted = sum(status == 202 for status, _, _ in answers)
    assert {status for status, _, _ in answers} <= {202, 429}
    assert burst <= accepted <= burst + math.ceil(seconds * requests_per_minute / 60)
