"""Crawlee's PlaywrightCrawler: `incognito` makes a context for each page, `shared` opens all pages in one."""

import asyncio
import time
from datetime import timedelta

from crawlee import ConcurrencySettings
from crawlee.crawlers import PlaywrightCrawler, PlaywrightCrawlingContext, PlaywrightPreNavCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

from tests.benchmarks.browser.reading import Reader
from tests.benchmarks.browser.visiting import CAPTCHA_SELECTOR, Journal, Orders

PAGE_SECONDS = 60
AHEAD = 40
"""How many addresses the queue holds at the start; each page adds one, so that it never runs dry."""


async def main() -> None:
    """Visit until told to end."""
    orders = Orders.parse()
    reader = Reader(orders.recogniser)
    crawler = PlaywrightCrawler(
        headless=True,
        use_incognito_pages=orders.mode == "incognito",
        browser_launch_options={"executable_path": orders.executable, "chromium_sandbox": False},
        concurrency_settings=ConcurrencySettings(
            min_concurrency=orders.concurrency,
            max_concurrency=orders.concurrency,
            desired_concurrency=orders.concurrency,
        ),
        request_handler_timeout=timedelta(seconds=PAGE_SECONDS),
        storage_client=MemoryStorageClient(),
        max_request_retries=0,
        configure_logging=False,
    )
    journal = Journal(orders)
    visits = journal.visits()
    started: dict[str, float] = {}

    @crawler.pre_navigation_hook
    async def note_start(context: PlaywrightPreNavCrawlingContext) -> None:
        started[context.request.url] = time.monotonic()

    @crawler.router.default_handler
    async def solve(context: PlaywrightCrawlingContext) -> None:
        url = context.request.url
        text = await reader.read(await context.page.locator(CAPTCHA_SELECTOR).screenshot())
        journal.note(_number(url), started.pop(url), text)
        following = next(visits, None)
        if following is None:
            crawler.stop()
        else:
            await crawler.add_requests([following[1]])

    @crawler.failed_request_handler
    async def note_failure(context: object, error: Exception) -> None:
        url = context.request.url  # type: ignore[attr-defined]
        journal.note(_number(url), started.pop(url, time.monotonic()), error=str(error))

    await crawler.run([url for _, (_, url) in zip(range(AHEAD), visits, strict=False)])


def _number(url: str) -> int:
    return int(url.rpartition("/")[2])


if __name__ == "__main__":
    asyncio.run(main())
