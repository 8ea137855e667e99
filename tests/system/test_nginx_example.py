"""Gateway and monitor behind a real nginx with the example's configuration: TLS, waits, events, who calls."""

import asyncio
import base64
import io
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.certificates import issue, make_authority
from tests.examples import fit_example
from tests.nginx import Nginx
from tests.ports import find_free_port
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

LIMITED = {"requests_per_minute": 1, "burst_size": 1}


class Proxied:
    """A client that trusts the proxy's certificate and reaches a fleet through it alone."""

    def __init__(self, fleet: Fleet, session: aiohttp.ClientSession, trust: ssl.SSLContext) -> None:
        self.fleet = fleet
        self.session = session
        self.trust = trust

    async def submit(self, **headers: str) -> tuple[int, dict[str, Any]]:
        body = {"url": self.fleet.site.url("one")}
        async with self.session.post("/submit_task", json=body, headers=headers, ssl=self.trust) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(path, ssl=self.trust, allow_redirects=False) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def run_behind_example(folder: Path, redis_url: str, **limits: Any) -> AsyncIterator[Proxied]:
    authority = make_authority(folder)
    certificate = issue(folder, authority, "localhost", "127.0.0.1")
    ports = {"gateway": find_free_port(), "monitor": find_free_port()}

    def write_servers(port: int) -> str:
        return fit_example(
            "nginx",
            {
                "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
                "captchad.example.com": "localhost",
                "/etc/nginx/tls/captchad.crt": certificate.path,
                "/etc/nginx/tls/captchad.key": certificate.path,
                "server 127.0.0.1:8080": f"server 127.0.0.1:{ports['gateway']}",
                "server 127.0.0.1:9090": f"server 127.0.0.1:{ports['monitor']}",
            },
        )

    proxy = Nginx(folder, write_servers=write_servers)
    settings = {"gateway": {"rate_limit": limits or {"enabled": False}, "trusted_proxies": ["127.0.0.1"]}}
    proxy.start()
    try:
        async with (
            Fleet(folder, redis_url, settings=settings) as fleet,
            aiohttp.ClientSession(f"https://localhost:{proxy.port}") as session,
        ):
            for role in [fleet.start(name, port) for name, port in ports.items()]:
                await fleet.wait_ready(role)
            yield Proxied(fleet, session, ssl.create_default_context(cafile=authority.path))
    finally:
        proxy.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxied(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxied]:
    """One fleet without limits for all tests but those of the limits."""
    folder = tmp_path_factory.mktemp("proxied")
    redis = RedisServer(folder)
    redis.start()
    try:
        async with run_behind_example(folder, redis.url) as running:
            yield running
    finally:
        redis.kill()


async def test_the_longest_wait_is_answered_and_events_come_meanwhile(proxied: Proxied) -> None:
    """No worker runs, so that the task stays pending and the wait lasts as long as it may."""
    status, task = await proxied.submit()
    assert status == 202
    waiting = asyncio.ensure_future(proxied.get(f"/task_status/{task['task_id']}?wait=60"))
    async with proxied.session.get("/events", ssl=proxied.trust) as events:
        assert events.content_type == "text/event-stream"
        _, second = await proxied.submit()
        # What nginx held back would come with the end of the stream, which has none.
        while second["task_id"] not in (await events.content.readline()).decode():
            pass
    assert not waiting.done()
    status, text = await waiting
    assert status == 200
    assert json.loads(text)["status"] == "pending"


async def test_a_caller_is_told_apart_by_its_address(tmp_path: Path, own_redis: RedisServer) -> None:
    async with run_behind_example(tmp_path, own_redis.url, **LIMITED) as proxied:
        first = {"X-Forwarded-For": "192.0.2.1"}
        assert (await proxied.submit(**first))[0] == 202
        assert (await proxied.submit(**first))[0] == 429
        assert (await proxied.submit(**{"X-Forwarded-For": "192.0.2.2"}))[0] == 202


async def test_a_whole_batch_reaches_the_gateway(proxied: Proxied) -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(1_000_000)).decode()
    batch = {"tasks": [{"image": picture, "target": "127.0.0.1"}] * 10}
    body, headers = io.BytesIO(json.dumps(batch).encode()), {"Content-Type": "application/json"}
    async with proxied.session.post("/submit_batch", data=body, headers=headers, ssl=proxied.trust) as answer:
        # captchad's own refusal of what is no picture, not nginx's of a large body.
        assert answer.status == 400
        assert (await answer.json(content_type=None))["code"] == "invalid_request"


async def test_the_monitor_is_below_its_path_and_figures_stay_inside(proxied: Proxied) -> None:
    async with proxied.session.get("/monitor", ssl=proxied.trust, allow_redirects=False) as answer:
        assert answer.status == 301
        assert answer.headers["Location"].endswith("/monitor/")
    status, page = await proxied.get("/monitor/")
    assert status == 200
    assert "captchad" in page
    status, snapshot = await proxied.get("/monitor/api/snapshot")
    assert status == 200
    assert json.loads(snapshot)
    for path in ("/metrics", "/monitor/metrics"):
        assert (await proxied.get(path))[0] == 403
