"""Who may call: keys and scopes, CORS, rate limits."""

import asyncio

import pytest

from captchad.config.settings import GatewaySection, KeyRateLimitSection, RateLimitSection
from captchad.domain.api_key import Scope
from tests.integration.gateway.conftest import UNLIMITED, RunningGateway, StartGateway, configure
from tests.patience import PATIENCE_SECONDS, until_true

PAGE = {"url": "http://captcha.example.com/"}
SUBMITS = ("/submit_task", "/submit_batch", "/cancel_task/x")
READS = ("/task_status/x", "/tasks", "/stats", "/workers", "/queue_status", "/health", "/metrics")
NOT_VALID = "this API key is not valid; ask whoever runs captchad for one"
ONE_KEY = "send one API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`"


async def create_key(gateway: RunningGateway, *scopes: Scope, targets: tuple[str, ...] = ()) -> dict[str, str]:
    text, _ = await gateway.keys.create("-".join(scopes), frozenset(scopes), targets)
    return {"Authorization": f"Bearer {text}"}


async def test_without_a_key_only_the_probes_and_the_page_that_asks_for_one_answer(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        for path in ("/livez", "/readyz", "/docs"):
            async with gateway.session.get(path, headers={"Host": "captchad.example.net"}) as answer:
                assert answer.status in {200, 503}
        for path in (*READS, "/events", "/openapi.json", "/status/config"):
            async with gateway.session.get(path) as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, "unauthorized")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        for path in SUBMITS:
            async with gateway.session.post(path, json=PAGE) as answer:
                assert answer.status == 401


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Authorization": "Bearer ck_0_0"}, NOT_VALID),
        ({"Authorization": "Basic Y2s6Y2s="}, ONE_KEY),
        ({"X-API-Key": ""}, ONE_KEY),
        ({"X-API-Key": "ck_" + "ä" * 5}, NOT_VALID),
        ({"Authorization": "Bearer ck_a_b", "X-API-Key": "ck_c_d"}, ONE_KEY),
    ],
)
async def test_a_wrong_key_is_told_from_none(start_gateway: StartGateway, headers: dict[str, str], detail: str) -> None:
    async with (
        start_gateway(configure(api_key_required=True)) as gateway,
        gateway.session.get("/stats", headers=headers) as answer,
    ):
        assert (answer.status, (await answer.json())["detail"]) == (401, detail)


async def test_a_key_may_do_what_its_scopes_say(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        submit, read = await create_key(gateway, Scope.SUBMIT), await create_key(gateway, Scope.READ)
        admin = await create_key(gateway, Scope.ADMIN)
        async with gateway.session.post("/submit_task", json=PAGE, headers=submit) as answer:
            assert answer.status == 202
        for path in READS:
            async with gateway.session.get(path, headers=submit) as answer:
                assert (answer.status, (await answer.json())["code"]) == (403, "forbidden")
            async with gateway.session.get(path, headers=read) as answer:
                assert answer.status not in {401, 403}
        async with gateway.session.post("/submit_task", json=PAGE, headers=read) as answer:
            assert answer.status == 403
        async with gateway.session.get("/status/config", headers=read) as answer:
            assert answer.status == 403
        for path in (*READS, "/status/config"):
            async with gateway.session.get(path, headers=admin) as answer:
                assert answer.status not in {401, 403}


async def test_an_event_stream_ends_when_its_key_is_revoked(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway, asyncio.timeout(PATIENCE_SECONDS):
        revoked, kept = await create_key(gateway, Scope.READ), await create_key(gateway, Scope.READ_ALL)
        async with (
            gateway.session.get("/events", headers=revoked) as stream,
            gateway.session.get("/events", headers=revoked) as another,
            gateway.session.get("/events", headers=kept) as going_on,
        ):
            await gateway.keys.revoke(Scope.READ)
            await stream.content.read()
            await another.content.read()
            assert not going_on.content.at_eof()
            await going_on.content.readuntil(b": nothing new")
        async with gateway.session.get("/events", headers=revoked) as answer:
            assert answer.status == 401


async def test_a_wait_ends_when_its_key_is_revoked(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway, asyncio.timeout(PATIENCE_SECONDS):
        headers = await create_key(gateway, Scope.SUBMIT, Scope.READ)
        async with gateway.session.post("/submit_task", json=PAGE, headers=headers) as answer:
            task_id = (await answer.json())["task_id"]
        waiting = asyncio.ensure_future(gateway.session.get(f"/task_status/{task_id}?wait=60", headers=headers))
        await until_true(lambda: gateway.feed.health().details["waiters"] == 1)
        await gateway.keys.revoke("-".join((Scope.SUBMIT, Scope.READ)))
        async with await waiting as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, "unauthorized")


async def test_a_key_with_targets_submits_for_those_alone(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        limited = await create_key(gateway, Scope.SUBMIT, targets=("a.sites.example.org",))
        async with gateway.session.post(
            "/submit_task", json={"url": "http://a.sites.example.org/"}, headers=limited
        ) as answer:
            assert answer.status == 202
        for url in ("http://b.sites.example.org/", "http://captcha.example.com/"):
            async with gateway.session.post("/submit_task", json={"url": url}, headers=limited) as answer:
                assert (answer.status, (await answer.json())["code"]) == (403, "target_not_allowed")


async def test_a_revoked_key_is_refused(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        text, key = await gateway.keys.create("soon gone", frozenset({Scope.READ}), ())
        async with gateway.session.get("/stats", headers={"X-API-Key": text}) as answer:
            assert answer.status == 200
        await gateway.keys.revoke(key.key_id)
        async with gateway.session.get("/stats", headers={"X-API-Key": text}) as answer:
            assert answer.status == 401


async def test_keys_of_two_callers_do_not_share_idempotency_keys(start_gateway: StartGateway) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        task_ids = set()
        for scopes in ((Scope.SUBMIT,), (Scope.ADMIN,)):
            headers = await create_key(gateway, *scopes) | {"Idempotency-Key": "same"}
            async with gateway.session.post("/submit_task", json=PAGE, headers=headers) as answer:
                task_ids.add((await answer.json())["task_id"])
        assert len(task_ids) == 2


async def test_an_allowed_origin_may_call_and_ask_first(start_gateway: StartGateway) -> None:
    origin = "https://tests.example.com"
    async with start_gateway(configure(allowed_origins=(origin,))) as gateway:
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with gateway.session.options("/submit_task", headers=preflight) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
        async with gateway.session.post("/submit_task", json=PAGE, headers={"Origin": origin}) as answer:
            assert answer.status == 202
            assert answer.headers["Access-Control-Allow-Origin"] == origin
        async with gateway.session.get("/stats", headers={"Origin": gateway.url}) as answer:
            assert answer.status == 200, "the gateway's own pages are at home"
        preflight["Origin"] = "https://evil.example.net"
        async with gateway.session.options("/submit_task", headers=preflight) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_star_for_origins_counts_only_with_keys(start_gateway: StartGateway) -> None:
    headers = {"Origin": "https://anyone.example.net"}
    async with (
        start_gateway(configure(allowed_origins=("*",))) as gateway,
        gateway.session.get("/stats", headers=headers) as answer,
    ):
        assert answer.status == 403
    async with start_gateway(configure(allowed_origins=("*",), api_key_required=True)) as gateway:
        headers |= await create_key(gateway, Scope.READ)
        async with gateway.session.get("/stats", headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["Access-Control-Allow-Origin"] == headers["Origin"]


async def test_calls_above_the_rate_are_refused_and_told_when_to_come_back(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=6, burst_size=3))
    async with start_gateway(configure(limited)) as gateway:
        for left in (2, 1, 0):
            async with gateway.session.post("/submit_task", json=PAGE) as answer:
                assert answer.status == 202
                assert answer.headers["RateLimit-Limit"] == "3"
                assert answer.headers["RateLimit-Remaining"] == str(left)
        async with gateway.session.get("/tasks") as answer:
            assert (answer.status, (await answer.json())["code"]) == (429, "rate_limited")
            assert 1 <= int(answer.headers["Retry-After"]) <= 10
            assert answer.headers["RateLimit-Remaining"] == "0"
            assert int(answer.headers["RateLimit-Reset"]) >= 20
            detail = (await answer.json())["detail"]
            assert "gateway.rate_limit" in detail
            assert f"try again in {answer.headers['Retry-After']} s" in detail
        for path in ("/stats", "/workers", "/queue_status", "/health", "/metrics", "/livez", "/docs"):
            async with gateway.session.get(path) as answer:
                assert answer.status != 429


async def test_nothing_is_limited_on_a_developers_own_machine_unless_a_rate_is_stated(
    start_gateway: StartGateway,
) -> None:
    async with start_gateway(configure(GatewaySection())) as gateway:
        for _ in range(150):
            async with gateway.session.get("/tasks") as answer:
                assert answer.status == 200
    async with start_gateway(configure(GatewaySection(), api_key_required=True)) as gateway:
        headers = await create_key(gateway, Scope.READ)
        async with gateway.session.get("/tasks", headers=headers) as answer:
            assert (answer.status, answer.headers["RateLimit-Limit"]) == (200, "20")


async def test_a_batch_costs_its_number_of_tasks(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=6, burst_size=5))
    async with start_gateway(configure(limited)) as gateway:
        async with gateway.session.post("/submit_batch", json={"tasks": [PAGE] * 3}) as answer:
            assert (answer.status, answer.headers["RateLimit-Remaining"]) == (202, "2")
        async with gateway.session.post("/submit_batch", json={"tasks": [PAGE] * 3}) as answer:
            assert answer.status == 429
        async with gateway.session.post("/submit_batch", json={"tasks": "nonsense"}) as answer:
            assert (answer.status, answer.headers["RateLimit-Remaining"]) == (400, "1")
        async with gateway.session.post("/submit_batch", json={"tasks": [PAGE] * 101}) as answer:
            assert (answer.status, answer.headers["RateLimit-Remaining"]) == (400, "0")


async def test_a_used_up_allowance_is_said_before_anything_is_parsed(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=6, burst_size=3))
    async with start_gateway(configure(limited)) as gateway:
        async with gateway.session.post("/submit_batch", json={"tasks": [PAGE] * 2}) as answer:
            assert answer.status == 202
        async with gateway.session.post("/submit_batch", json={"tasks": [{"no": "task"}] * 2}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (429, "rate_limited")


async def test_a_batch_of_the_whole_burst_passes(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=1, burst_size=5))
    body = {"tasks": [PAGE] * 5}
    async with start_gateway(configure(limited)) as gateway, gateway.session.post("/submit_batch", json=body) as answer:
        assert (answer.status, answer.headers["RateLimit-Remaining"]) == (202, "0")


async def test_a_batch_above_the_burst_is_let_through_once_and_paid_off(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=60, burst_size=5))
    async with start_gateway(configure(limited)) as gateway:
        async with gateway.session.post("/submit_batch", json={"tasks": [PAGE] * 30}) as answer:
            assert answer.status == 202
        async with gateway.session.post("/submit_task", json=PAGE) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 20


async def test_each_key_has_an_allowance_of_its_own(start_gateway: StartGateway) -> None:
    per_key = KeyRateLimitSection(enabled=True, requests_per_minute=1, burst_size=1)
    async with start_gateway(configure(UNLIMITED, api_key_required=True, rate_limiting=per_key)) as gateway:
        first, second = await create_key(gateway, Scope.READ), await create_key(gateway, Scope.ADMIN)
        for headers, status in ((first, 200), (first, 429), (second, 200)):
            async with gateway.session.get("/tasks", headers=headers) as answer:
                assert answer.status == status


async def test_callers_behind_a_trusted_proxy_are_told_apart(start_gateway: StartGateway) -> None:
    section = RateLimitSection(requests_per_minute=1, burst_size=1)
    trusting = GatewaySection(rate_limit=section, trusted_proxies=("127.0.0.0/8",))
    async with start_gateway(configure(trusting)) as gateway:
        for address, status in (("198.51.100.1", 200), ("198.51.100.2", 200), ("198.51.100.1", 429)):
            async with gateway.session.get("/tasks", headers={"X-Forwarded-For": f"6.6.6.6, {address}"}) as answer:
                assert answer.status == status


async def test_forwarded_addresses_are_not_believed_otherwise(start_gateway: StartGateway) -> None:
    limited = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=1, burst_size=1))
    async with start_gateway(configure(limited)) as gateway:
        for number, status in ((1, 200), (2, 429)):
            async with gateway.session.get("/tasks", headers={"X-Forwarded-For": f"198.51.100.{number}"}) as answer:
                assert answer.status == status


async def test_a_trusted_proxy_says_where_the_task_is_outside(start_gateway: StartGateway) -> None:
    headers = {"X-Forwarded-Prefix": "/captchad/"}
    for trusted, place, servers in (
        (("127.0.0.0/8",), "/captchad", [{"url": "/captchad"}]),
        ((), ".", None),
    ):
        section = GatewaySection(rate_limit=UNLIMITED.rate_limit, trusted_proxies=trusted)
        async with start_gateway(configure(section)) as gateway:
            async with gateway.session.post("/submit_task", json=PAGE, headers=headers) as answer:
                task_id = (await answer.json())["task_id"]
                assert answer.headers["Location"] == f"{place}/task_status/{task_id}"
            async with gateway.session.get("/openapi.json", headers=headers) as answer:
                assert (await answer.json()).get("servers") == servers


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 202), ("same-site", 403), ("cross-site", 403), ("none", 403), ("", 403)]
)
async def test_a_page_is_at_home_behind_a_proxy_that_renames_the_host(
    gateway: RunningGateway, site: str, status: int
) -> None:
    headers = {"Origin": "http://127.0.0.1:9000", "Sec-Fetch-Site": site}
    async with gateway.session.post("/submit_task", json=PAGE, headers=headers) as answer:
        assert answer.status == status
