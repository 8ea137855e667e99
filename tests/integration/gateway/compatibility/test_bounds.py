"""What holds for every dialect: which target a key opens, whose a task is, limits, and Redis being away."""

from typing import Any

import pytest

from captchad.broker.connection import Broker
from captchad.config.settings import GatewaySection, KeyRateLimitSection, RateLimitSection
from captchad.domain.api_key import Scope
from captchad.domain.proof import ProofWay
from tests.integration.gateway.compatibility.conftest import HOST, PICTURE, Solver, make_key, speak
from tests.integration.gateway.conftest import UNLIMITED, StartGateway
from tests.integration.gateway.test_narrowings import UNPROVEN, prove
from tests.integration.gateway.test_sessions import take
from tests.patience import until
from tests.redis_server import RedisServer

TASK = {"type": "ImageToTextTask", "body": PICTURE}
PUBLIC = "captcha.example.com"


async def create(solver: Solver, **fields: Any) -> dict[str, Any]:
    return await solver.ask("/createTask", task=TASK | fields)


async def test_a_picture_belongs_to_the_target_its_key_is_bound_to(solver: Solver) -> None:
    await solver.create()
    assert (await take(solver.broker)).request.target == HOST
    for name in ("websiteURL", "websiteUrl", "websiteurl"):
        await solver.create(**{name: f"http://{HOST}:8085/login"})
        assert (await take(solver.broker)).request.target == HOST
        answer = await create(solver, **{name: "http://localhost/"})
        assert answer["errorCode"] == "ERROR_DOMAIN_NOT_ALLOWED"


async def test_a_key_must_be_bound_and_to_private_targets(solver: Solver) -> None:
    several = await make_key(solver.gateway, "several", HOST, PUBLIC)
    for name, key, page, words in (
        ("unbound", await make_key(solver.gateway, "unbound"), None, "bound to no target"),
        ("public", await make_key(solver.gateway, "public", PUBLIC), None, "whose proof is waived"),
        ("several", several, None, "bound to several targets"),
        ("several", several, f"http://{PUBLIC}/", "whose proof is waived"),
        ("undeclared", await make_key(solver.gateway, "undeclared", "gone.example.com"), None, "not a declared target"),
        ("expired", await make_key(solver.gateway, "expired", "old.example.com"), None, "expired"),
    ):
        solver.key = key
        answer = await create(solver, websiteURL=page)
        assert (answer["errorId"], answer["errorCode"]) == (200, "ERROR_DOMAIN_NOT_ALLOWED"), name
        assert words in answer["errorDescription"]
        assert await solver.ask_form("/in.php", body=PICTURE, pageurl=page or "") == "ERROR_DOMAIN_NOT_ALLOWED"
        async with solver.gateway.session.post("/ocr", json={"image": PICTURE}, headers={"X-API-Key": key}) as refused:
            assert (refused.status, set(await refused.json())) == (403, {"detail"})
    solver.key = several
    assert (await create(solver, websiteURL=f"http://{HOST}/"))["errorId"] == 0


async def test_a_public_target_is_served_only_while_its_proof_holds(solver: Solver, broker: Broker) -> None:
    solver.key = await make_key(solver.gateway, "proven", UNPROVEN)
    assert "not proven to be yours" in (await create(solver))["errorDescription"]
    await prove(broker, UNPROVEN, ProofWay.DNS)

    async def is_served() -> bool:
        return (await create(solver))["errorId"] == 0

    await until(is_served)
    await prove(broker, UNPROVEN, None)

    async def is_refused() -> bool:
        return "missing, with grace" in (await create(solver)).get("errorDescription", "")

    await until(is_refused)


async def test_a_number_is_worth_nothing_to_another_key(solver: Solver) -> None:
    number = await solver.create()
    await solver.solve()
    own = solver.key
    for name, scope in (("other", Scope.READ), ("all", Scope.READ_ALL), ("admin", Scope.ADMIN)):
        solver.key = await make_key(solver.gateway, name, HOST, scopes=frozenset({scope, Scope.SUBMIT}))
        assert (await solver.ask("/getTaskResult", taskId=number))["errorId"] == 16
        assert (await solver.ask("/reportIncorrect", taskId=number))["errorId"] == 16
        assert await solver.ask_form("/res.php", action="get", id=str(number)) == "ERROR_WRONG_CAPTCHA_ID"
    solver.key = own
    assert (await solver.ask("/getTaskResult", taskId=number))["status"] == "ready"


async def test_a_key_needs_the_scopes_of_what_it_does(solver: Solver) -> None:
    solver.key = await make_key(solver.gateway, "reader", HOST, scopes=frozenset({Scope.READ}))
    answer = await create(solver)
    assert (answer["errorId"], "lacks the scope submit" in answer["errorDescription"]) == (1, True)
    assert (await solver.ask("/getBalance"))["errorId"] == 0
    solver.key = await make_key(solver.gateway, "writer", HOST, scopes=frozenset({Scope.SUBMIT}))
    number = await solver.create()
    assert (await solver.ask("/getTaskResult", taskId=number))["errorId"] == 1


async def test_a_revoked_key_is_no_key(solver: Solver) -> None:
    await solver.gateway.keys.revoke("client")
    assert (await create(solver))["errorId"] == 1


async def test_only_new_pictures_are_charged_to_the_rate_limit(start_gateway: StartGateway, broker: Broker) -> None:
    limits = GatewaySection(rate_limit=RateLimitSection(requests_per_minute=1, burst_size=3))
    async with start_gateway(speak(limits)) as gateway:
        solver = Solver(gateway, broker, await make_key(gateway, "client", HOST))
        number = await solver.create()
        for _ in range(20):
            assert (await solver.ask("/getTaskResult", taskId=number))["status"] == "processing"
            assert await solver.ask_form("/res.php", action="get", id=str(number)) == "CAPCHA_NOT_READY"
        await solver.solve()
        for _ in range(20):
            assert (await solver.ask("/reportCorrect", taskId=number))["status"] == "success"
        await solver.create()
        await solver.create()
        assert (await create(solver))["errorId"] == 2
        assert await solver.ask_form("/in.php", body=PICTURE) == "ERROR_NO_SLOT_AVAILABLE"
        headers = {"X-API-Key": solver.key}
        async with gateway.session.post("/ocr", json={"image": PICTURE}, headers=headers) as answer:
            assert (answer.status, set(await answer.json())) == (429, {"detail"})
            assert int(answer.headers["Retry-After"]) > 0


async def test_a_key_has_a_limit_of_its_own(start_gateway: StartGateway, broker: Broker) -> None:
    per_key = KeyRateLimitSection(enabled=True, requests_per_minute=1, burst_size=1)
    async with start_gateway(speak(rate_limiting=per_key)) as gateway:
        for name in ("one", "other"):
            solver = Solver(gateway, broker, await make_key(gateway, name, HOST))
            assert [(await create(solver))["errorId"] for _ in range(2)] == [0, 2]


async def test_a_full_queue_has_no_slot(start_gateway: StartGateway, broker: Broker) -> None:
    full = UNLIMITED.model_copy(update={"queue_limit": 1})
    async with start_gateway(speak(full)) as gateway:
        solver = Solver(gateway, broker, await make_key(gateway, "client", HOST))
        await solver.create()
        assert (await create(solver))["errorCode"] == "ERROR_NO_SLOT_AVAILABLE"


async def test_the_dialects_are_not_part_of_the_api_that_is_described(solver: Solver) -> None:
    async with solver.gateway.session.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    assert "/submit_task" in paths
    assert not {"/createTask", "/in.php", "/res.php", "/ocr"} & set(paths)


async def test_a_failure_inside_is_answered_in_the_dialects_words(
    solver: Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await solver.create()

    async def fail(task_id: str) -> None:
        raise RuntimeError(task_id)

    monkeypatch.setattr(solver.gateway.store, "read", fail)
    assert (await solver.ask("/getTaskResult", taskId=number))["errorCode"] == "ERROR_INTERNAL_SERVER_ERROR"
    assert await solver.ask_form("/res.php", action="get", id=str(number)) == "ERROR_INTERNAL_SERVER_ERROR"


class TestWithoutRedis:
    """A client waits an outage out: what it polls is not ready, and for what is new there is no slot."""

    @pytest.fixture
    def redis_url(self, own_redis: RedisServer) -> str:
        return own_redis.url

    async def test_polls_go_on_and_new_pictures_are_put_off(self, solver: Solver, own_redis: RedisServer) -> None:
        number = await solver.create()
        await solver.solve()
        own_redis.kill()
        assert await solver.ask("/getTaskResult", taskId=number) == {"errorId": 0, "status": "processing"}
        assert await solver.ask_form("/res.php", action="get", id=str(number)) == "CAPCHA_NOT_READY"
        assert (await create(solver))["errorCode"] == "ERROR_NO_SLOT_AVAILABLE"
        own_redis.start()
        await solver.broker.wait_until_back()
        assert (await solver.ask("/getTaskResult", taskId=number))["status"] == "ready"
