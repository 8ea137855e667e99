"""Looking at a page costs little, however large the page."""

import json
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page

from captchad.browser.scripts.catalogue import FINDER, read_page_scripts
from captchad.domain.page import PageOrder
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCAN_LIMIT_WALKS = 40.0
"""How many plain walks over all elements a scan may cost: ten times what it does."""

RESULT_LIMIT_BYTES = 40_000
SCANS = 20
WALK = """walks => {
let seen = 0;
for (let i = 0; i < walks; i++) for (const element of document.querySelectorAll("*")) seen += element.id.length;
return seen}"""
SCAN = """async ([script, wanted, scans]) => {
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

    async def scan(page: Page) -> tuple[dict[str, Any], float, float]:
        await page.wait_for_load_state()
        measuring = await page.context.new_cdp_session(page)
        await measuring.send("Performance.enable")
        wanted = {"mode": "facts", "selector": None, "index": 0, "source": ""}
        await page.evaluate(SCAN, [read_page_scripts()[FINDER], wanted, 1])
        before_seconds = await read_cpu_seconds(measuring)
        seen: dict[str, Any] = await page.evaluate(SCAN, [read_page_scripts()[FINDER], wanted, SCANS])
        scanned_seconds = await read_cpu_seconds(measuring)
        await page.evaluate(WALK, SCANS)
        walk_seconds = await read_cpu_seconds(measuring) - scanned_seconds
        return seen, (scanned_seconds - before_seconds) / SCANS, walk_seconds / SCANS

    async with stage.open_page(PageOrder(site.url(), "127.0.0.1"), PATIENCE_SECONDS) as session:
        seen, scan_seconds, walk_seconds = await scan(session.page)
    assert seen["elements"] > 20_000
    print(f"{scan_seconds * 1000:.1f} ms of CPU a scan, {walk_seconds * 1000:.1f} ms a walk over all elements")
    assert scan_seconds < SCAN_LIMIT_WALKS * walk_seconds
    assert len(json.dumps(seen["facts"])) < RESULT_LIMIT_BYTES
    assert any("captcha" in candidate["own"] for candidate in seen["facts"]["candidates"])
