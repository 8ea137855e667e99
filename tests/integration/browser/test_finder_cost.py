"""Looking at a page costs little, however large the page."""

import json
from typing import Any

import pytest

from captchad.browser.finder import read_finder_script
from captchad.domain.visit import VisitOrder
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK_LIMIT_MS = 50.0
RESULT_LIMIT_BYTES = 40_000
# The least of many looks: what else the machine does is no cost of the look.
LOOKS = """async ([script, wanted]) => {
const look = eval(`(${script})`), times = [];
let facts;
for (let i = 0; i < 40; i++) {
const began = performance.now();
facts = await look(wanted);
times.push(performance.now() - began)}
return {least_ms: Math.min(...times), facts, elements: document.querySelectorAll("*").length}}"""
CARD = (
    '<div class="card col" id="item-{n}"><p class="text">Some words about the item</p><a href="/item/{n}">{picture}</a>'
    '<span class="price">12.{n}</span></div>'
)


def write_large_page() -> str:
    """Give a page of more than 20,000 elements, 400 pictures and a login with a captcha at the end."""
    picture = '<img src="/line" width="150" height="50">'
    cards = (CARD.replace("{n}", str(n)).replace("{picture}", "<b>x</b>" if n % 10 else picture) for n in range(4100))
    return f'{"".join(cards)}<form><input name="user"><input name="captcha"><img id="captcha" src="/picture"></form>'


async def test_a_page_of_twenty_thousand_elements_is_looked_at_within_a_few_milliseconds(
    site: LocalSite, stage: Stage
) -> None:
    site.put_page("/", write_large_page())
    site.put_picture("/picture", CAPTCHA_PNG)

    async def look(session: Any) -> dict[str, Any]:
        wanted = {"mode": "facts", "selector": None, "index": 0, "source": ""}
        await session.page.wait_for_load_state()
        seen: dict[str, Any] = await session.page.evaluate(LOOKS, [read_finder_script(), wanted])
        return seen

    seen = await stage.engine.visit(VisitOrder(site.url(), "127.0.0.1"), look, 60.0, "task_test")
    assert seen["elements"] > 20_000
    assert seen["least_ms"] < LOOK_LIMIT_MS
    assert len(json.dumps(seen["facts"])) < RESULT_LIMIT_BYTES
    assert any("captcha" in candidate["own"] for candidate in seen["facts"]["candidates"])
