"""Closed targets over HTTP: tasks say that they wait for one, estimates know it, an operator reopens it."""

import time
from datetime import datetime

import pytest

from captchad.broker.connection import Broker
from captchad.broker.target_limits import TargetLimits
from captchad.broker.tasks import TaskStore
from captchad.config.settings import GatewaySection, RateLimitSection
from captchad.domain.api_key import Scope
from captchad.domain.node import NodeReport, Role
from captchad.domain.role_figures import WorkerFigures
from captchad.web.api.answers import TaskAnswer
from captchad.web.api.fleet_answers import ReopenedTarget, StatsAnswer
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.integration.protocol import LIMITS, Partition, close_fill, deferred

HOST = "captcha.example.com"
URL = f"http://{HOST}/"
CLOSED_SECONDS = 250.0


async def close(broker: Broker, host: str = HOST) -> None:
    await TargetLimits(broker, "worker.1", 60.0).close(host, CLOSED_SECONDS)


async def read_estimate(gateway: RunningGateway, **fields: object) -> int:
    async with gateway.session.post("/submit_task", json={"url": URL} | fields) as answer:
        return int((await answer.json())["estimated_wait_time"])


async def test_a_task_says_that_its_target_is_closed_until_an_operator_reopens_it(
    broker: Broker, gateway: RunningGateway
) -> None:
    partition = Partition(broker, TaskStore(broker, LIMITS), None)  # type: ignore[arg-type]
    task_id = await gateway.submit()
    await close(broker)
    worker = partition.make_consumer()
    delay_ms = int(CLOSED_SECONDS * 1000)
    await worker.settle([deferred(one, delay_ms, 1000, "closed") for one in await worker.take(1)])
    async with gateway.session.get(f"/task_status/{task_id}") as answer:
        body = await answer.json()
    TaskAnswer.model_validate(body, strict=True)
    assert (body["status"], body["waiting_for"]["reason"]) == ("pending", "target_closed")
    wait = datetime.fromisoformat(body["waiting_for"]["until"]) - datetime.fromisoformat(body["created_at"])
    assert wait.total_seconds() >= CLOSED_SECONDS
    async with gateway.session.get("/tasks") as answer:
        [listed] = (await answer.json())["tasks"]
    assert listed["waiting_for"] == body["waiting_for"]
    async with gateway.session.post(f"/reopen_target/{HOST}") as answer:
        reopened = await answer.json()
    ReopenedTarget.model_validate(reopened, strict=True)
    assert (reopened["host"], reopened["was_closed"], reopened["waiting_tasks"]) == (HOST, True, 1)
    async with gateway.session.get(f"/task_status/{task_id}") as answer:
        assert (await answer.json())["waiting_for"]["reason"] == "target_limit"
    async with gateway.session.post(f"/reopen_target/{HOST}") as answer:
        assert (await answer.json())["was_closed"] is False


async def test_a_target_where_no_form_is_filled_is_named_until_an_operator_reopens_it(
    broker: Broker, gateway: RunningGateway
) -> None:
    await close_fill(broker, HOST)
    async with gateway.session.get("/stats") as answer:
        stats = await answer.json()
        StatsAnswer.model_validate(stats, strict=True)
    [(host, closure)] = stats["fill_closures"].items()
    assert host == HOST
    assert datetime.fromisoformat(closure["closed_at"]).timestamp() == pytest.approx(time.time(), abs=60)
    async with gateway.session.post(f"/reopen_target/{HOST}") as answer:
        reopened = await answer.json()
        ReopenedTarget.model_validate(reopened, strict=True)
    assert (reopened["was_closed"], reopened["was_fill_closed"], reopened["closed_seconds"]) == (True, True, 0)
    async with gateway.session.get("/stats") as answer:
        assert (await answer.json())["fill_closures"] == {}


async def test_an_estimate_knows_of_a_closure_but_not_for_a_picture(broker: Broker, gateway: RunningGateway) -> None:
    await close(broker)
    assert CLOSED_SECONDS <= await read_estimate(gateway) < CLOSED_SECONDS + 60
    async with gateway.session.post("/submit_task", json={"url": "http://a.sites.example.org/"}) as answer:
        assert (await answer.json())["estimated_wait_time"] < 60


async def test_an_estimate_knows_how_many_pages_the_target_allows_at_once(gateway: RunningGateway) -> None:
    worker = WorkerFigures(slots=1000, busy=0)
    report = NodeReport("worker-1", "aa", Role.WORKER, "alpha", 1, "127.0.0.1:8001", "0", False, figures=worker)
    await gateway.nodes.write(report)
    body = {"tasks": [{"url": URL}] * 100}
    async with gateway.session.post("/submit_batch", json=body) as answer:
        estimates = [task["estimated_wait_time"] for task in (await answer.json())["tasks"]]
    # Four at once, and five seconds each as long as none has ended.
    assert (estimates[0], estimates[3], estimates[4], estimates[99]) == (5, 5, 10, 125)


async def test_only_an_admin_reopens_and_only_what_is_declared(start_gateway: StartGateway) -> None:
    unlimited = GatewaySection(rate_limit=RateLimitSection(enabled=False))
    async with start_gateway(configure(unlimited, api_key_required=True)) as gateway:
        reader, _ = await gateway.keys.create("reader", frozenset({Scope.READ, Scope.SUBMIT}), ())
        admin, _ = await gateway.keys.create("admin", frozenset({Scope.ADMIN}), ())
        for key, host, status in ((reader, HOST, 403), (admin, HOST, 200), (admin, "elsewhere.example", 403)):
            headers = {"X-API-Key": key}
            async with gateway.session.post(f"/reopen_target/{host}", headers=headers) as answer:
                assert answer.status == status
        async with gateway.session.post("/reopen_target/*.sites.example.org", headers=headers) as answer:
            assert answer.status == 200
