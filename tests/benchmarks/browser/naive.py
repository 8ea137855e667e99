"""The obvious loop with Playwright: one browser, and for each page a new context, a new page, a screenshot."""

import asyncio

from playwright.async_api import async_playwright

from tests.benchmarks.browser.reading import Reader
from tests.benchmarks.browser.visiting import CAPTCHA_SELECTOR, Journal, Orders, keep_visiting


async def main() -> None:
    """Visit until told to end."""
    orders = Orders.parse()
    reader = Reader(orders.recogniser)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=orders.executable)

        async def solve(url: str) -> str:
            context = await browser.new_context()
            try:
                page = await context.new_page()
                await page.goto(url)
                return await reader.read(await page.locator(CAPTCHA_SELECTOR).screenshot())
            finally:
                await context.close()

        await keep_visiting(orders, Journal(orders), solve)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
