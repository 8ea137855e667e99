"""A page of many frames is looked at within bounds, and the captcha in any of them is found."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from playwright.async_api import Frame, Page

from captchad.browser.finding.frame_scans import FrameScans, Sought
from captchad.browser.finding.frame_views import FrameView
from captchad.browser.page.frame_calls import FRAMES_LIMIT
from captchad.domain.page import PageOrder
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage, find_main_frame
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = '<iframe srcdoc="<p>small" width="200" height="60"></iframe>'
CAPTCHA_FRAME = '<iframe src="/framed" width="300" height="100"></iframe>'
NO_PLACE_FOR_ONE = {
    "hidden": '<iframe style="display: none" srcdoc="<p>x"></iframe>',
    "without size": '<iframe width="1" height="1" srcdoc="<p>x"></iframe>',
    "off the page": '<iframe style="position: absolute; left: -9999px" srcdoc="<p>x"></iframe>',
    "empty": "<iframe></iframe>",
    "in a hidden part": '<div hidden><iframe srcdoc="<p>x"></iframe></div>',
}
Result = TypeVar("Result")


async def scan_page(stage: Stage, site: LocalSite, work: Callable[[FrameScans, Page], Awaitable[Result]]) -> Result:
    """Open the site's first page and give what `work` makes of scans at it."""

    async with stage.open_page(PageOrder(site.url(), "127.0.0.1"), PATIENCE_SECONDS) as session:
        page = session.page
        await page.wait_for_load_state()
        return await work(FrameScans(page, await find_main_frame(page), Sought(), stage.clock), page)


async def scan_once(scans: FrameScans, _: Page) -> dict[Frame, FrameView]:
    return await scans.scan()


async def scan_as_many_as_allowed(scans: FrameScans, _: Page) -> dict[Frame, FrameView]:
    """Scan until the limit is reached: what a frame needs for its first scan may take longer than the scan may."""
    views: dict[Frame, FrameView] = {}
    while len(views) < FRAMES_LIMIT:
        views = await scans.scan()
    return views


def put_captcha(site: LocalSite) -> None:
    site.put_page("/framed", '<input name="captcha"><img id="captcha" src="/picture">')
    site.put_picture("/picture", CAPTCHA_PNG)


@pytest.mark.parametrize("html", NO_PLACE_FOR_ONE.values(), ids=NO_PLACE_FOR_ONE.keys())
async def test_frames_that_show_nothing_are_not_asked(html: str, site: LocalSite, stage: Stage) -> None:
    site.put_page("/", html * 3 + SMALL)
    views = await scan_page(stage, site, scan_once)
    assert len(views) == 2


async def test_a_captcha_is_found_behind_fifty_hidden_frames(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", NO_PLACE_FOR_ONE["hidden"] * 50 + CAPTCHA_FRAME)
    put_captcha(site)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_of_too_many_frames_the_likeliest_are_scanned(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", SMALL * 60 + CAPTCHA_FRAME.replace("<iframe", '<iframe id="captcha-box"') + SMALL * 20)
    put_captcha(site)
    assert len(await scan_page(stage, site, scan_as_many_as_allowed)) == FRAMES_LIMIT
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_frames_that_came_out_of_order_are_told_apart(site: LocalSite, stage: Stage) -> None:
    hidden = "Object.assign(document.createElement('iframe'), { srcdoc: '<p>x', hidden: true })"
    site.put_page("/", f"{CAPTCHA_FRAME}<script>for (let i = 0; i < 3; i++) document.body.prepend({hidden})</script>")
    put_captcha(site)
    views = await scan_page(stage, site, scan_once)
    assert [frame.url for frame in views] == [site.url(), site.url("/framed")]


async def test_frames_in_shadow_roots_shift_no_numbers(site: LocalSite, stage: Stage) -> None:
    shadow = "<div><template shadowrootmode='open'><iframe srcdoc='<p>x' hidden></iframe></template></div>"
    site.put_page("/", f"{shadow}{NO_PLACE_FOR_ONE['hidden']}{CAPTCHA_FRAME}")
    put_captcha(site)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_a_frame_that_shows_itself_later_is_scanned_then(site: LocalSite, stage: Stage) -> None:
    show = "<script>setTimeout(() => { document.querySelector('iframe').hidden = false }, 700)</script>"
    site.put_page("/", CAPTCHA_FRAME.replace("<iframe", "<iframe hidden") + show)
    put_captcha(site)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
