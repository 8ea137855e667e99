"""A real monitor's page while its Redis is away."""

from pathlib import Path

import aiohttp
from playwright.async_api import expect

from tests.patience import until
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet
from tests.watched_page import watch_page


async def test_a_monitor_started_without_redis_says_so_until_it_comes(tmp_path: Path, own_redis: RedisServer) -> None:
    own_redis.kill()
    async with Fleet(tmp_path, own_redis.url) as fleet, watch_page() as watched:
        monitor = fleet.start("monitor")
        url = f"http://127.0.0.1:{monitor.port}"

        async def answers() -> bool:
            try:
                async with fleet.client.get(f"{url}/livez") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

        await until(answers)
        page = watched.page
        await page.goto(url)
        await expect(page.locator("#connection")).to_have_text("Redis is away")
        await expect(page.locator("#tasks-unknown")).to_have_text("Redis is away, so nothing is known yet.")
        await expect(page.get_by_text("No task yet")).to_be_hidden()
        own_redis.start()
        await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
        await expect(page.get_by_text("No task yet")).to_be_visible()
