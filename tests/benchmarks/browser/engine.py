"""captchad's browser engine as the worker runs it, egress guard on; `mode` is browser.reuse."""

import contextlib

import uvloop

from captchad.browser.engine import BrowserEngine
from captchad.domain.page import PageOrder
from captchad.domain.target import Target, parse_origin
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.runtime.spawn import TaskSet
from tests.benchmarks.browser.configuration import browser_section
from tests.benchmarks.browser.reading import Reader
from tests.benchmarks.browser.visiting import Journal, Orders, keep_visiting

TASK_SECONDS = 30.0


async def main() -> None:
    """Visit until told to end."""
    orders = Orders.parse()
    reader, clock = Reader(orders.recogniser), Clock()
    origin = parse_origin(orders.site)
    policy = ScopePolicy((Target(origin.host, (origin.port,), allow_private_addresses=True),))
    proxy = FilteringProxy(policy, clock)
    engine = BrowserEngine(browser_section(orders.mode, orders.executable), proxy, clock)

    async def solve(url: str) -> str:
        deadline = Deadline(TASK_SECONDS, clock)
        async with deadline.enforce(), engine.open_page(PageOrder(url, origin.host), deadline) as page:
            return await reader.read((await page.capture()).picture)

    await proxy.start()
    await engine.start()
    work = TaskSet("upkeep")
    work.spawn(engine.run(), "engine")
    try:
        await keep_visiting(orders, Journal(orders), solve)
    finally:
        with contextlib.suppress(Exception):
            await work.cancel_all()
        await engine.close()
        await proxy.close()


if __name__ == "__main__":
    uvloop.run(main())
