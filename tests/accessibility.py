"""What a page looks like to those who see, hear or reach it with difficulty."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.watched_page import PHONE, WIDE

GRAVE_IMPACTS = {"serious", "critical"}


async def find_grave_faults(page: Page) -> list[str]:
    """Return what axe calls serious or critical, in both colour schemes, on a desktop and on a phone."""
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for size in (WIDE, PHONE):
            await page.set_viewport_size(size)
            found += [f"{scheme}, {size['width']} px: {fault}" for fault in await _run_axe(page)]
    return found


async def _run_axe(page: Page) -> list[str]:
    results = await Axe().run(page)
    assert results.response["passes"], "axe has looked at nothing"
    return [
        f"{violation['id']} at {node['target']}: {node['failureSummary']}"
        for violation in results.response["violations"]
        if violation["impact"] in GRAVE_IMPACTS
        for node in violation["nodes"]
    ]


async def measure_overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than a phone's window."""
    await page.set_viewport_size(PHONE)
    return int(
        await page.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.documentElement)")
    )
