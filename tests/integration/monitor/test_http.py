"""What programs get from the monitor: metrics, one snapshot, the stream, and refusals."""

import asyncio
import subprocess

import aiohttp
import orjson
import pytest

from captchad.broker.api_keys import ApiKeys
from captchad.broker.connection import Broker
from captchad.config.settings import RedisSection
from captchad.domain.api_key import Scope
from captchad.domain.task import Priority
from tests.answer_headers import assert_protected, list_requests, read_headers
from tests.integration.monitor.fleet import MonitorUnderTest, SmallFleet, make_small_fleet
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import RedisServer

KEYS = (
    ("ann", Scope.READ, ()),
    ("auditor", Scope.READ_ALL, ()),
    ("admin", Scope.ADMIN, ()),
    ("auditor of a", Scope.READ_ALL, ("a.example",)),
)
SPECIFIED_NAMES = (
    "captcha_tasks_total",
    "captcha_tasks_pending",
    "captcha_tasks_processing",
    "captcha_tasks_completed",
    "captcha_tasks_failed",
    "worker_nodes_active",
    "system_cpu_usage",
    "system_memory_usage",
)


async def read(url: str, **headers: str) -> tuple[int, bytes, "aiohttp.typedefs.LooseHeaders"]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.read(), response.headers


async def read_event(response: aiohttp.ClientResponse) -> bytes:
    """Return the data of the next event."""
    async for line in response.content:
        if line.startswith(b"data: "):
            return line
    raise EOFError("the stream ended")


async def check_with_promtool(rendering: bytes) -> None:
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = await asyncio.create_subprocess_exec("promtool", "check", "metrics", **pipes)
    _, complaints = await process.communicate(rendering)
    assert (process.returncode, complaints) == (0, b"")


def read_samples(rendering: bytes) -> dict[str, float]:
    rows = [line.rsplit(" ", 1) for line in rendering.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in rows}


async def test_metrics_are_those_of_now_under_the_specified_names(monitor: MonitorUnderTest, fleet: SmallFleet) -> None:
    await fleet.report_all()
    for _ in range(4):
        await fleet.submit()
    await fleet.submit(priority=Priority.HIGH)
    await fleet.complete("abc")
    await fleet.complete("def")
    await fleet.fail("nothing there")
    await fleet.consumer.take(1)
    await monitor.monitor.refresh(max_age_seconds=0)
    status, body, headers = await read(f"{monitor.url}/metrics")
    samples = read_samples(body)
    assert status == 200
    assert [samples[name] for name in SPECIFIED_NAMES] == [5, 1, 1, 2, 1, 1, 31.0, 42.5]
    assert samples["captchad_broker_up"] == 1
    assert samples['captchad_queue_depth{priority="normal"}'] == 1
    assert samples['captchad_nodes{role="worker",state="up"}'] == 1
    assert samples["captchad_fleet_slots"] == 4
    assert samples['captchad_host_disk_percent{host="host-a"}'] == 63
    await check_with_promtool(body)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")


async def test_metrics_survive_hostile_host_names(monitor: MonitorUnderTest, fleet: SmallFleet) -> None:
    await fleet.report_all(host='quote " backslash \\ and\nline')
    _, body, _ = await read(f"{monitor.url}/metrics")
    await check_with_promtool(body)


async def test_metrics_without_redis_say_so_and_keep_the_last_figures(own_redis: RedisServer) -> None:
    broker = Broker(RedisSection(), "test", url_override=own_redis.url)
    await broker.start()
    monitor = MonitorUnderTest(broker)
    await monitor.start()
    await make_small_fleet(broker).submit()
    await monitor.monitor.refresh(max_age_seconds=0)
    own_redis.kill()
    await monitor.monitor.refresh(max_age_seconds=0)
    status, body, _ = await read(f"{monitor.url}/metrics")
    samples = read_samples(body)
    assert status == 200
    assert samples["captchad_broker_up"] == 0
    assert samples["captcha_tasks_total"] == 1
    await monitor.stop()
    await broker.close()


async def test_a_snapshot_holds_no_url_and_no_metadata(monitor: MonitorUnderTest, fleet: SmallFleet) -> None:
    await fleet.report_all()
    task_id = await fleet.submit()
    status, body, _ = await read(f"{monitor.url}/api/snapshot")
    snapshot = orjson.loads(body)
    assert status == 200
    assert snapshot["broker"] == {"is_up": True, "failure": ""}
    assert [task["task_id"] for task in snapshot["fleet"]["tasks"]] == [task_id]
    assert [role["is_active"] for role in snapshot["fleet"]["roles"]] == [None, True, None, None]
    assert b"/login" not in body


async def test_a_key_is_shown_the_newest_of_its_own_tasks_and_of_others_only_with_read_all(
    broker: Broker, fleet: SmallFleet
) -> None:
    keys = ApiKeys(broker)
    made = {name: await keys.create(name, frozenset({scope}), targets) for name, scope, targets in KEYS}
    own = await fleet.submit("a.example", key_id=made["ann"][1].key_id)
    other, elsewhere = await fleet.submit("a.example", key_id="another"), await fleet.submit("b.example")
    monitor = MonitorUnderTest(broker, keys.authenticate)
    await monitor.start()
    try:
        for name, shown, withheld in (
            ("ann", {own}, 2),
            ("auditor", {own, other, elsewhere}, 0),
            ("admin", {own, other, elsewhere}, 0),
            ("auditor of a", {own, other}, 1),
        ):
            headers = {"X-API-Key": made[name][0]}
            _, body, _ = await read(f"{monitor.url}/api/snapshot", **headers)
            snapshot = orjson.loads(body)
            assert {task["task_id"] for task in snapshot["fleet"]["tasks"]} == shown, name
            assert snapshot["withheld_tasks"] == withheld, name
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{monitor.url}/events", headers=headers) as stream,
            ):
                event = orjson.loads((await read_event(stream)).removeprefix(b"data: "))
            assert {task["task_id"] for task in event["fleet"]["tasks"]} == shown, name
    finally:
        await monitor.stop()


async def test_the_stream_begins_at_once_and_ends_when_the_monitor_drains(broker: Broker) -> None:
    monitor = MonitorUnderTest(broker)
    await monitor.start()
    async with aiohttp.ClientSession() as session, session.get(f"{monitor.url}/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert await response.content.readline() == b"retry: 1000\n"
        assert (await read_event(response)).startswith(b"data: {")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await monitor.stop()
            await response.read()


async def test_the_stream_ends_when_its_key_is_revoked(broker: Broker) -> None:
    keys = ApiKeys(broker)
    text, key = await keys.create("ann", frozenset({Scope.READ}), ())
    monitor = MonitorUnderTest(broker, keys.authenticate)
    await monitor.start()
    try:
        headers = {"X-API-Key": text}
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{monitor.url}/events") as stream,
        ):
            await read_event(stream)
            await keys.revoke(key.key_id)
            await stream.read()
    finally:
        await monitor.stop()


async def test_all_watchers_share_one_reading(monitor: MonitorUnderTest) -> None:
    async def read_two(session: aiohttp.ClientSession) -> list[bytes]:
        async with session.get(f"{monitor.url}/events") as response:
            return [await read_event(response) for _ in range(2)]

    async with aiohttp.ClientSession() as session:
        seen = await asyncio.gather(*(read_two(session) for _ in range(20)))
    assert len({event for events in seen for event in events}) <= 4


@pytest.mark.parametrize("path", ["/", "/static/dashboard.js", "/api/snapshot", "/events", "/metrics"])
async def test_a_foreign_host_name_is_refused(monitor: MonitorUnderTest, path: str) -> None:
    status, _, _ = await read(f"{monitor.url}{path}", Host="evil.example")
    assert status == 403


@pytest.mark.parametrize("path", ["/api/snapshot", "/events"])
async def test_a_foreign_origin_is_refused(monitor: MonitorUnderTest, path: str) -> None:
    status, _, _ = await read(f"{monitor.url}{path}", Origin="https://evil.example")
    assert status == 403


@pytest.mark.parametrize("name", ["..%2fapplication.py", "%2e%2e/routes.py", "index.html.bak", "nothing"])
async def test_only_the_pages_own_files_are_served(monitor: MonitorUnderTest, name: str) -> None:
    status, _, _ = await read(f"{monitor.url}/static/{name}")
    assert status == 404


async def test_the_page_has_a_strict_policy_and_a_validator(monitor: MonitorUnderTest) -> None:
    status, _, headers = await read(f"{monitor.url}/")
    policy = headers["Content-Security-Policy"]
    assert status == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    again, body, _ = await read(f"{monitor.url}/", **{"If-None-Match": headers["ETag"]})
    assert (again, body) == (304, b"")


async def test_every_answer_protects_browsers(monitor: MonitorUnderTest) -> None:
    async with aiohttp.ClientSession(monitor.url) as session:
        for method, path in list_requests(monitor.application):
            _, headers = await read_headers(session, method, path)
            assert_protected(headers, is_page=path == "/" or path.startswith("/static/"))
