"""Looking at a page costs little, however large the page."""

import json
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from captchad.browser.finding.finder import read_finder_script
from captchad.domain.page import PageOrder
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCAN_LIMIT_MS = 50.0
RESULT_LIMIT_BYTES = 40_000
LOOKS = 20
LOOK = """async ([script, wanted, scans]) => {
const scan = eval(`(${script})`);
for (let i = 1; i < scans; i++) await scan(wanted);
return {facts: await scan(wanted), elements: document.querySelectorAll("*").length}}"""
CARD = (
    '<div class="card col" id="item-{n}"><p class="text">Some words about the item</p><a href="/item/{n}">{picture}</a>'
    '<span class="price">12.{n}</span></div>'
)


def write_large_page() -> str:
    """Return a page of more than 20,000 elements, 400 pictures and a login with a captcha at the end."""
    picture = '<img src="/line" width="150" height="50">'
    cards = (CARD.replace("{n}", str(n)).replace("{picture}", "<b>x</b>" if n % 10 else picture) for n in range(4100))
    return f'{"".join(cards)}<form><input name="user"><input name="captcha"><img id="captcha" src="/picture"></form>'


async def read_cpu_seconds(measuring: CDPSession) -> float:
    """Return what the page's main thread has computed so far: what else the machine does is no cost of a scan."""
    answer = await measuring.send("Performance.getMetrics")
    return float(next(metric["value"] for metric in answer["metrics"] if metric["name"] == "ThreadTime"))


async def test_a_page_of_twenty_thousand_elements_is_scanned_within_a_few_milliseconds(
    site: LocalSite, stage: Stage
) -> None:
    site.put_page("/", write_large_page())
    site.put_picture("/picture", CAPTCHA_PNG)

    async def scan(page: Page) -> tuple[dict[str, Any], float]:
        await page.wait_for_load_state()
        measuring = await page.context.new_cdp_session(page)
        await measuring.send("Performance.enable")
        wanted = {"mode": "facts", "selector": None, "index": 0, "source": ""}
        await page.evaluate(LOOK, [read_finder_script(), wanted, 1])
        before_seconds = await read_cpu_seconds(measuring)
        seen: dict[str, Any] = await page.evaluate(LOOK, [read_finder_script(), wanted, LOOKS])
        return seen, (await read_cpu_seconds(measuring) - before_seconds) * 1000 / LOOKS

    async with stage.open_page(PageOrder(site.url(), "127.0.0.1"), 60.0) as session:
        seen, scan_ms = await scan(session.page)
    assert seen["elements"] > 20_000
    print(f"{scan_ms:.1f} ms of CPU a scan")
    assert scan_ms < SCAN_LIMIT_MS
    assert len(json.dumps(seen["facts"])) < RESULT_LIMIT_BYTES
    assert any("captcha" in candidate["own"] for candidate in seen["facts"]["candidates"])
