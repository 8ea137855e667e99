"""Figures of the fleet, the event stream, the documentation and the routes for operators."""

import asyncio
import json
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp import ClientResponse
from pydantic import BaseModel, SecretStr

from captchad.broker.captcha_watch import CaptchaWatch
from captchad.broker.connection import Broker
from captchad.broker.housekeeping import LeaderLease
from captchad.config.settings import GatewaySection, RateLimitSection, RedisMasterSection, RedisSection
from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState, DriftSignal
from captchad.domain.node import NodeReport, Role, SystemLoad
from captchad.domain.role_figures import BrowserFigures, WorkerFigures
from captchad.web.answers import Problem
from captchad.web.api.answers import SubmittedTask, TaskAnswer, TaskList
from captchad.web.api.fleet_answers import QueueAnswer, ReopenedTarget, StatsAnswer, WorkerList
from captchad.web.ops.answers import HealthAnswer, ProbeAnswer
from tests.integration.gateway.conftest import RunningGateway, StartGateway, configure
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import RedisServer


def make_report(name: str, role: Role, host: str, cpu_percent: float) -> NodeReport:
    browser = BrowserFigures(browser_version="140.0", browsers=1, pages_served=9)
    figures = WorkerFigures(slots=4, busy=1, tasks_done=8, browser=browser) if role is Role.WORKER else None
    load = SystemLoad(cpu_percent, 50.0, 20.0)
    return NodeReport(name, "aa", role, host, 1, "127.0.0.1:8001", "0", is_draining=False, load=load, figures=figures)


async def test_stats_give_the_mean_over_all_hosts_and_each_host(gateway: RunningGateway) -> None:
    await gateway.submit()
    await gateway.nodes.write(make_report("worker-1", Role.WORKER, "alpha", 10.0))
    await gateway.nodes.write(make_report("monitor-1", Role.MONITOR, "beta", 30.0))
    async with gateway.session.get("/stats") as answer:
        stats = await answer.json()
    assert (stats["active_workers"], stats["pending_tasks"], stats["slots"], stats["busy_slots"]) == (1, 1, 4, 1)
    assert stats["system_load"]["cpu_usage"] == 20.0
    assert stats["hosts"] == stats["system_load"]["hosts"]
    assert stats["hosts"]["beta"] == {"cpu_usage": 30.0, "memory_usage": 50.0, "disk_usage": 20.0}
    assert (stats["completed_tasks"], stats["failed_tasks"], stats["average_processing_time"]) == (0, 0, 0.0)


async def test_stats_name_the_targets_whose_captcha_has_changed(gateway: RunningGateway, broker: Broker) -> None:
    assert await LeaderLease(broker, "s.1", lease_seconds=60).hold()
    watch = CaptchaWatch(broker)
    await watch.add([CaptchaObservation("captcha.example.com", 160, 60, 0.9, "model")])
    state = CaptchaState(visits=3, changes=2, signals=(DriftSignal.SIZE,))
    async with asyncio.timeout(PATIENCE_SECONDS), gateway.session.get("/events") as stream:
        await read_until(stream, b": nothing new")
        await watch.fold("s.1", await watch.read_observed(), {"captcha.example.com": state}, {"captcha.example.com"})
        await read_until(stream, b"event: target")
        told = json.loads((await stream.content.readline()).removeprefix(b"data: "))
    assert (told["target"], told["signals"]) == ("captcha.example.com", ["size"])
    async with gateway.session.get("/stats") as answer:
        stats = await answer.json()
        StatsAnswer.model_validate(stats, strict=True)
    [(host, captcha)] = stats["captchas"].items()
    assert (host, captcha["visits"], captcha["is_learning"], captcha["changes"]) == ("captcha.example.com", 3, True, 2)
    assert datetime.fromisoformat(captcha["changed_at"]).timestamp() == pytest.approx(told["at_ms"] / 1000, abs=0.01)
    assert captcha["signals"] == ["size"]


async def test_workers_are_listed_with_what_they_report(gateway: RunningGateway) -> None:
    await gateway.nodes.write(make_report("worker-1", Role.WORKER, "alpha", 10.0))
    await gateway.nodes.write(make_report("gateway-1", Role.GATEWAY, "alpha", 10.0))
    async with gateway.session.get("/workers") as answer:
        [worker] = (await answer.json())["workers"]
    expected = {
        "name": "worker-1",
        "host": "alpha",
        "state": "up",
        "slots": 4,
        "busy": 1,
        "browser_version": "140.0",
        "pages_served": 9,
        "rss_bytes": None,
        "recycled": None,
        "tasks_done": 8,
        "tasks_failed": None,
    }
    assert worker.items() >= expected.items()
    assert worker["details"].items() >= {"slots": 4, "browsers": 1, "browser_version": "140.0", "crashes": None}.items()
    assert 0 <= worker["heartbeat_age_seconds"] < PATIENCE_SECONDS


async def test_queue_status_counts_by_priority_and_target(gateway: RunningGateway) -> None:
    await gateway.submit(url="http://captcha.example.com/", priority="high")
    await gateway.submit(url="http://a.sites.example.org/")
    async with gateway.session.get("/queue_status") as answer:
        status = await answer.json()
    assert (status["depth"]["high"], status["depth"]["normal"], status["depth"]["low"]) == (1, 1, 0)
    assert status["oldest_age_seconds"]["high"] >= 0
    assert status["oldest_age_seconds"]["low"] is None
    assert status["per_target"]["captcha.example.com"] == {"pending": 1, "processing": 0, "deferred": 0}
    assert (status["processing"], status["delayed"], status["dead"]) == (0, 0, 0)


async def test_the_event_stream_tells_changes_and_beats_between_them(gateway: RunningGateway) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), gateway.session.get("/events") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        await read_until(stream, b": nothing new")
        task_id = await gateway.submit()
        await read_until(stream, b"event: task")
        assert task_id.encode() in await stream.content.readline()


async def test_the_event_stream_ends_when_the_gateway_drains(gateway: RunningGateway) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), gateway.session.get("/events") as stream:
        await gateway.server.drain()
        await stream.content.read()
        assert stream.content.at_eof()


async def read_until(stream: ClientResponse, start: bytes) -> bytes:
    while True:
        line = await stream.content.readline()
        assert line, "the stream has ended"
        if line.startswith(start):
            return line


async def test_every_answer_is_as_the_document_describes_it(gateway: RunningGateway) -> None:
    await gateway.nodes.write(make_report("worker-1", Role.WORKER, "alpha", 10.0))
    task_id = await gateway.submit()
    cases: list[tuple[str, str, type[BaseModel]]] = [
        ("GET", f"/task_status/{task_id}", TaskAnswer),
        ("GET", "/tasks", TaskList),
        ("POST", f"/cancel_task/{task_id}", TaskAnswer),
        ("GET", "/stats", StatsAnswer),
        ("GET", "/workers", WorkerList),
        ("GET", "/queue_status", QueueAnswer),
        ("POST", "/reopen_target/captcha.example.com", ReopenedTarget),
        ("GET", "/health", HealthAnswer),
        ("GET", "/readyz", ProbeAnswer),
        ("GET", "/nowhere", Problem),
        ("GET", "/tasks?limit=0", Problem),
    ]
    for method, path, model in cases:
        async with gateway.session.request(method, path) as answer:
            model.model_validate(await answer.json(content_type=None), strict=True)
    async with gateway.session.post("/submit_task", json={"url": "http://captcha.example.com/"}) as answer:
        SubmittedTask.model_validate(await answer.json(), strict=True)


async def test_the_openapi_document_has_every_route_and_resolves(gateway: RunningGateway) -> None:
    async with gateway.session.get("/openapi.json") as answer:
        document = await answer.json()
    assert document["openapi"].startswith("3.1")
    assert {"/submit_task", "/task_status/{task_id}", "/events", "/health", "/docs"} <= set(document["paths"])
    for reference in find_references(document):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in document["components"][kind]
    properties = document["components"]["schemas"]["TaskBody"]["properties"]
    assert properties["timeout"]["type"] == "number", "an optional field is absent, not null"
    operation = document["paths"]["/submit_task"]["post"]
    assert {"202", "400", "401", "403", "413", "415", "422", "429", "503"} <= set(operation["responses"])


def find_references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for inner in value.values() for found in find_references(inner)]
    return [found for inner in value for found in find_references(inner)] if isinstance(value, list) else []


async def test_the_documentation_page_asks_nobody_else(gateway: RunningGateway) -> None:
    async with gateway.session.get("/docs") as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    sources: list[str | None] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            sources.extend(value for name, value in attrs if name in {"src", "href", "action"})

    Finder().feed(page)
    assert set(sources) == {"openapi.json", "data:,"}


async def test_secrets_are_not_shown(start_gateway: StartGateway) -> None:
    redis = RedisSection(master=RedisMasterSection(password=SecretStr("hush-hush")))
    configuration = configure(callback_secret=SecretStr("hush-hush")).model_copy(update={"redis": redis})
    async with start_gateway(configuration) as gateway, gateway.session.get("/status/config") as answer:
        text = await answer.text()
    assert "hush-hush" not in text
    assert "****" in text


async def test_metrics_count_requests_and_refusals(gateway: RunningGateway) -> None:
    async with gateway.session.post("/submit_task", json={"url": "http://elsewhere.example.net/"}) as answer:
        assert answer.status == 403
    await gateway.submit()
    async with gateway.session.get("/metrics") as answer:
        assert answer.content_type == "text/plain"
        text = await answer.text()
    assert 'captchad_refusals_total{code="target_not_allowed"} 1' in text
    assert 'captchad_submissions_total{outcome="accepted"} 1' in text
    assert 'route="/submit_task"' in text


async def test_a_full_queue_refuses_and_stores_nothing(start_gateway: StartGateway) -> None:
    small = GatewaySection(rate_limit=RateLimitSection(enabled=False), queue_limit=2)
    async with start_gateway(configure(small)) as gateway:
        for _ in range(2):
            await gateway.submit()
        async with gateway.session.post("/submit_task", json={"url": "http://captcha.example.com/"}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (503, "queue_full")
            assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def redis_url(own_redis: RedisServer) -> str:
    """A Redis that tests of this file may stop; the others do not mind."""
    return own_redis.url


async def test_without_redis_everything_says_so_and_comes_back(gateway: RunningGateway, own_redis: RedisServer) -> None:
    task_id = await gateway.submit()
    own_redis.kill()
    for method, path in (("GET", f"/task_status/{task_id}"), ("POST", "/submit_task"), ("GET", "/stats")):
        body = {"url": "http://captcha.example.com/"} if path == "/submit_task" else None
        async with gateway.session.request(method, path, json=body) as answer:
            assert (answer.status, (await answer.json())["code"]) == (503, "broker_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
    async with gateway.session.get("/livez") as answer:
        assert answer.status == 200
    own_redis.start()
    async with gateway.session.get(f"/task_status/{task_id}?wait=0") as answer:
        assert (await answer.json())["status"] == "pending"
