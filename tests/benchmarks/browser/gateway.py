"""End to end: `captchad up` on free ports, tasks submitted and waited for through the HTTP API.

`mode` is browser.reuse. One worker has as many slots as pages are ordered at once; twice as many tasks are under way,
so that a slot that becomes free finds one waiting. With a pause, one task at a time.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from captchad.domain.target import parse_origin
from tests.benchmarks.browser.configuration import browser_settings
from tests.benchmarks.browser.visiting import Journal, Orders, keep_visiting
from tests.system.fleet import UNLIMITED
from tests.system.up_process import UpProcess

WAIT_SECONDS = 60
TASKS_PER_SLOT = 2


def make_settings(orders: Orders) -> dict[str, Any]:
    """Return the configuration: the site is in scope, and nothing is held back."""
    origin = parse_origin(orders.site)
    target = {"host": origin.host, "ports": [origin.port], "allow_private_addresses": True} | UNLIMITED
    return {
        "gateway": {"rate_limit": {"enabled": False}},
        "worker": {"max_workers_per_node": orders.concurrency},
        "browser": browser_settings(orders.mode, orders.executable),
        "security": {"targets": [target]},
    }


async def solve(client: aiohttp.ClientSession, gateway: str, url: str) -> str:
    """Submit one page, wait for its end, give its text; RuntimeError when it failed."""
    async with client.post(f"{gateway}/submit_task", json={"url": url}) as response:
        answer = await response.json(content_type=None)
        if response.status != 202:
            raise RuntimeError(f"{response.status}: {answer}")
    status = f"{gateway}/task_status/{answer['task_id']}"
    while True:
        async with client.get(status, params={"wait": WAIT_SECONDS}) as response:
            answer = await response.json(content_type=None)
        if answer["status"] == "completed":
            return str(answer["result"]["captcha_text"])
        if answer["status"] not in {"pending", "processing"}:
            raise RuntimeError(str(answer["error"]))


async def submit_all(orders: Orders, gateway: str) -> None:
    """Keep tasks under way until told to end."""
    under_way = orders.concurrency if orders.pause_seconds else orders.concurrency * TASKS_PER_SLOT
    crowd = Orders(orders.mode, orders.site, orders.first_visit, under_way, orders.pause_seconds, "", "")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        await keep_visiting(crowd, Journal(crowd), lambda url: solve(client, gateway, url))


def main() -> None:
    """Bring everything up, submit until told to end, and take it down."""
    orders = Orders.parse()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        configuration = Path(folder) / "config.json"
        configuration.write_text(json.dumps(make_settings(orders)), encoding="utf-8")
        up = UpProcess(Path(folder) / "state", "--workers=1", "--config", str(configuration))
        try:
            asyncio.run(submit_all(orders, up.wait_until_up()["gateway"]))
        finally:
            up.end()


if __name__ == "__main__":
    main()
