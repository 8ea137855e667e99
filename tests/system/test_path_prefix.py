"""Gateway and monitor behind a real nginx that shows them below a path."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.nginx import Nginx
from tests.ports import find_free_port
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet
from tests.watched_page import WatchedPage, watch_page

pytestmark = pytest.mark.asyncio(loop_scope="module")


def write_locations(ports: dict[str, int]) -> str:
    """Show each role twice: as most proxies are set up, and as those do that say what they have taken off."""
    locations = []
    for role, port in ports.items():
        target = f"proxy_pass http://127.0.0.1:{port}/;"
        locations.append(f"location /silent/{role}/ {{ {target} }}")
        telling = f"{target} proxy_set_header X-Forwarded-Prefix /telling/{role};"
        locations += [f"location {place} {{ {telling} }}" for place in (f"/telling/{role}/", f"= /telling/{role}")]
    return "\n".join(locations)


@contextmanager
def run_nginx(folder: Path, ports: dict[str, int]) -> Iterator[Nginx]:
    proxy = Nginx(folder, write_locations(ports))
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxied(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Fleet, str]]:
    """A gateway and a monitor for all tests, with the proxy's URL."""
    folder, ports = tmp_path_factory.mktemp("proxied"), {"gateway": find_free_port(), "monitor": find_free_port()}
    redis, settings = RedisServer(folder), {"rate_limit": {"enabled": False}, "trusted_proxies": ["127.0.0.1"]}
    redis.start()
    try:
        with run_nginx(folder, ports) as proxy:
            async with Fleet(folder, redis.url, settings={"gateway": settings}) as fleet:
                for role in [fleet.start(name, port) for name, port in ports.items()]:
                    await fleet.wait_ready(role)
                yield fleet, proxy.url
    finally:
        redis.kill()


def check_requests(watched: WatchedPage, below: str) -> None:
    assert {url for url in watched.requested if not url.startswith((below, "data:", "blob:"))} == set()
    assert watched.complaints == []


@pytest.mark.parametrize("path", ["/silent/monitor/", "/telling/monitor/", "/telling/monitor"])
async def test_the_monitors_page_works_below_a_path(proxied: tuple[Fleet, str], path: str) -> None:
    _, proxy_url = proxied
    async with watch_page() as watched:
        await watched.page.goto(proxy_url + path)
        await expect(watched.page.locator("#connection")).to_have_attribute("data-state", "live")
        await expect(watched.page.locator("#roles .card")).to_have_count(2)
        check_requests(watched, proxy_url + path)


@pytest.mark.parametrize("path", ["/silent/gateway/", "/telling/gateway/"])
async def test_the_gateways_page_works_below_a_path(proxied: tuple[Fleet, str], path: str) -> None:
    fleet, proxy_url = proxied
    async with watch_page() as watched:
        await watched.page.goto(f"{proxy_url}{path}docs")
        submit, status = watched.page.locator("#submit_task"), watched.page.locator("#task_status")
        await submit.locator("textarea").fill(f'{{"url": "http://127.0.0.1:{fleet.site.port}/page/one"}}')
        await submit.get_by_role("button", name="Send").click()
        await expect(submit.locator(".output")).to_contain_text("202 Accepted")
        await status.locator("summary").first.click()
        await status.get_by_role("button", name="Send").click()
        await expect(status.locator(".output")).to_contain_text('"status": "pending"')
        check_requests(watched, proxy_url + path)


async def test_a_submitted_tasks_location_can_be_followed(proxied: tuple[Fleet, str]) -> None:
    fleet, proxy_url = proxied
    body = {"url": f"http://127.0.0.1:{fleet.site.port}/page/one"}
    direct = f"http://127.0.0.1:{fleet.roles[0].port}/"
    for base in (direct, f"{proxy_url}/silent/gateway/", f"{proxy_url}/telling/gateway/"):
        async with fleet.client.post(f"{base}submit_task", json=body) as answer:
            task_id = (await answer.json())["task_id"]
            place = urljoin(str(answer.url), answer.headers["Location"])
        assert place == f"{base}task_status/{task_id}"
        async with fleet.client.get(place) as answer:
            assert (await answer.json())["task_id"] == task_id
