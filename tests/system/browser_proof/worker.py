"""One worker of the proof: captchad's browser engine on its own, which opens pages until it is told to end."""

import logging
import os

import uvloop

from captchad.browser.engine import BrowserEngine
from captchad.config.settings import BrowserSection
from captchad.domain.errors import AttemptFailed
from captchad.domain.page import PageOrder
from captchad.domain.target import Target, parse_origin
from captchad.egress.proxy import FilteringProxy
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock
from captchad.runtime.deadline import Deadline
from captchad.runtime.spawn import TaskSet
from tests.benchmarks.browser.visiting import Journal, Orders, keep_visiting

PAGE_SECONDS_VARIABLE = "CAPTCHAD_PROOF_PAGE_SECONDS"


class PageFailed(Exception):
    """A page ended with a code."""


async def main() -> None:
    """Open pages until told to end, then leave in good order."""
    logging.basicConfig(level=logging.WARNING)
    orders, clock, page_seconds = Orders.parse(), Clock(), float(os.environ[PAGE_SECONDS_VARIABLE])
    origin = parse_origin(orders.site)
    proxy = FilteringProxy(ScopePolicy((Target(origin.host, (origin.port,), allow_private_addresses=True),)), clock)
    engine = BrowserEngine(BrowserSection.model_validate({"reuse": orders.mode}), proxy, clock)

    async def solve(url: str) -> str:
        deadline = Deadline(page_seconds, clock)
        try:
            async with deadline.enforce(), engine.open_page(PageOrder(url, origin.host), deadline) as page:
                return str(len((await page.capture()).picture))
        except AttemptFailed as failure:
            raise PageFailed(f"{failure.task_error_code}: {failure.message}") from None

    await proxy.start()
    await engine.start()
    upkeep = TaskSet("upkeep")
    upkeep.spawn(engine.run(), "engine")
    await keep_visiting(orders, Journal(orders), solve)
    await upkeep.cancel_all()
    await engine.close()
    await proxy.close()


if __name__ == "__main__":
    uvloop.run(main())
