"""Sessions and evidence, from outside: what goes in, what comes back, and who may see it."""

import base64
from typing import Any

import aiohttp
import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Delivery, Settlement
from captchad.broker.session_cipher import SessionCipher
from captchad.domain.api_key import Scope
from captchad.domain.page import Cookie, Evidence, Fill, SessionState
from captchad.domain.recognition import CaptchaKind
from captchad.domain.task import TaskResult
from captchad.web.api.answers import TaskAnswer
from tests.integration.gateway.conftest import SESSION_KEY, RunningGateway, StartGateway, configure
from tests.integration.gateway.requests_to_send import make_png
from tests.integration.protocol import DEAD_LETTER_LIMITS

PAGE = "http://a.sites.example.org/login"
COOKIE = {"name": "sid", "value": "open-sesame", "path": "/", "http_only": True, "secure": False}
SESSION = {"cookies": [COOKIE], "headers": {"X-Token": "open-sesame"}, "local_storage": {"theme": "dark"}}
STORAGE_STATE = {
    "cookies": [
        {
            "name": "sid",
            "value": "open-sesame",
            "domain": "a.sites.example.org",
            "path": "/",
            "expires": -1,
            "httpOnly": True,
            "secure": False,
            "sameSite": "Lax",
        }
    ],
    "origins": [
        {"origin": "http://a.sites.example.org", "localStorage": [{"name": "theme", "value": "dark"}]},
    ],
}
STATE = SessionState((Cookie("sid", "open-sesame", http_only=True),), {"X-Token": "open-sesame"}, {"theme": "dark"})
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
PNG = make_png(60, 20)


async def take(broker: Broker) -> Delivery:
    [delivery] = await make_worker(broker).take(1)
    return delivery


def make_worker(broker: Broker) -> Consumer:
    return Consumer(broker, broker.partitions[0], "worker", "worker.1", DEAD_LETTER_LIMITS, SessionCipher(SESSION_KEY))


async def complete(broker: Broker, session: SessionState | None = None, evidence: Evidence | None = None) -> None:
    delivery = await take(broker)
    result = TaskResult("7KM4", 0.9, CaptchaKind.TEXT, "test", session=session)
    settlement = Settlement(delivery, AttemptOutcome.COMPLETED, result=result, evidence=evidence)
    assert await make_worker(broker).settle([settlement]) == ["completed"]


async def read(gateway: RunningGateway, path: str, headers: dict[str, str] | None = None) -> Any:
    async with gateway.session.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_what_is_asked_of_a_page_reaches_the_worker(gateway: RunningGateway, broker: Broker) -> None:
    fill = {"input": "#code", "success": "url:**/welcome", "failure": "text:wrong"}
    await gateway.submit(url=PAGE, session=SESSION, fill=fill, return_session=True, evidence=True)
    request = (await take(broker)).request
    assert request.session == STATE
    assert request.fill == Fill("#code", success="url:**/welcome", failure="text:wrong")
    assert (request.return_session, request.evidence, request.key_id) == (True, True, None)


async def test_a_task_bears_the_id_of_its_callers_key(start_gateway: StartGateway, broker: Broker) -> None:
    async with start_gateway(configure(api_key_required=True)) as gateway:
        text, key = await gateway.keys.create("robot", frozenset({Scope.SUBMIT}), ())
        async with gateway.session.post("/submit_task", json={"url": PAGE}, headers={"X-API-Key": text}) as answer:
            assert answer.status == 202
    assert (await take(broker)).request.key_id == key.key_id


async def test_the_pages_session_is_in_the_status_and_in_no_list(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await gateway.submit(url=PAGE, return_session=True)
    await complete(broker, STATE)
    body = await read(gateway, f"/task_status/{task_id}?wait=1")
    TaskAnswer.model_validate(body, strict=True)
    assert body["result"]["session"] == {**SESSION, "storage_state": STORAGE_STATE}
    [listed] = (await read(gateway, "/tasks"))["tasks"]
    assert "session" not in listed["result"]
    await gateway.submit(url=PAGE, session=body["result"]["session"])
    assert (await take(broker)).request.session == STATE, "what comes out can be put in again"


async def test_evidence_is_served_so_that_it_can_do_no_harm(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await gateway.submit(url=PAGE, evidence=True)
    await complete(broker, evidence=Evidence(SVG, PNG, "img#captcha", 0.953))
    body = await read(gateway, f"/task_status/{task_id}")
    TaskAnswer.model_validate(body, strict=True)
    assert body["result"]["evidence"] == {
        "image_url": f"/task_evidence/{task_id}/image",
        "screenshot_url": f"/task_evidence/{task_id}/screenshot",
        "choice": "img#captcha",
        "judgement": 0.953,
    }
    for name, content, content_type in (("image", SVG, "image/svg+xml"), ("screenshot", PNG, "image/png")):
        async with gateway.session.get(body["result"]["evidence"][f"{name}_url"]) as answer:
            assert (answer.status, await answer.read(), answer.content_type) == (200, content, content_type)
            check_headers(answer)


def check_headers(answer: aiohttp.ClientResponse) -> None:
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


async def test_a_picture_task_keeps_its_picture_alone(gateway: RunningGateway, broker: Broker) -> None:
    image = base64.b64encode(PNG).decode()
    task_id = await gateway.submit(image=image, target="captcha.example.com", evidence=True)
    await complete(broker, evidence=Evidence(PNG))
    evidence = (await read(gateway, f"/task_status/{task_id}"))["result"]["evidence"]
    assert (evidence["image_url"], evidence["screenshot_url"]) == (f"/task_evidence/{task_id}/image", None)
    async with gateway.session.get(f"/task_evidence/{task_id}/screenshot") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "task_not_found")


async def test_evidence_that_is_gone_is_not_found(gateway: RunningGateway, broker: Broker) -> None:
    task_id = await gateway.submit(url=PAGE, evidence=True)
    await complete(broker, evidence=Evidence(PNG, PNG))
    await broker.client.delete(broker.partitions[0].evidence(task_id))
    for path in (f"/task_evidence/{task_id}/image", "/task_evidence/nonsense/image"):
        async with gateway.session.get(path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "task_not_found")


@pytest.mark.parametrize("fields", [{"session": {}}, {"return_session": True}])
async def test_without_a_session_key_sessions_are_refused(start_gateway: StartGateway, fields: dict[str, Any]) -> None:
    async with start_gateway(configure(session_key=None)) as gateway:
        async with gateway.session.post("/submit_task", json={"url": PAGE, **fields}) as answer:
            problem = await answer.json()
        assert (answer.status, problem["code"]) == (400, "invalid_request")
        [violation] = problem["violations"]
        assert violation["pointer"] == f"/{next(iter(fields))}"
        assert "security.session_key" in violation["message"]
        await gateway.submit(url=PAGE, fill={"input": "#a"}, evidence=True)


@pytest.mark.parametrize("domain", ["example.org", "sites.example.org", "b.sites.example.org", "evil.example.net"])
async def test_a_cookie_out_of_scope_is_refused_by_its_pointer(gateway: RunningGateway, domain: str) -> None:
    session = {"cookies": [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "domain": domain}]}
    body = {"tasks": [{"url": PAGE}, {"url": PAGE, "session": session}]}
    async with gateway.session.post("/submit_batch", json=body) as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (400, "invalid_request")
    assert [one["pointer"] for one in problem["violations"]] == ["/tasks/1/session/cookies/1/domain"]
    await gateway.submit(url=PAGE, session={"cookies": [{"name": "b", "value": "2", "domain": "a.sites.example.org"}]})
