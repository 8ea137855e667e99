"""On pages without a captcha none is invented, and they are not waited for longer than they deserve."""

import time

import pytest

from captchad.browser.finding.patience import (
    EXPECTANT_STILL_SECONDS,
    INERT_STILL_SECONDS,
    LATEST_SECONDS,
    STILL_SECONDS,
)
from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser.captchaless_pages import PAGES
from tests.integration.browser.many_pages import visit_all
from tests.integration.browser.stage import LocalSite, Stage, draw_picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLACK_IN_CAPTURES = 20.0
"""How much longer than it must wait a visit may take: two captures of a page with a captcha, when all is quiet."""

PICTURES = {"/line": (180, 56), "/square": (140, 140), "/wide": (468, 60), "/small": (50, 32), "/large": (640, 320)}
SCRIPT = "<script>let started = 1</script>"
TICKING = "<script>setInterval(() => document.body.append(document.createElement('i')), 100)</script>"


def furnish(site: LocalSite) -> None:
    """Put the pictures on a site that its pages show."""
    for path, (width, height) in PICTURES.items():
        site.put_picture(path, draw_picture("picture", width, height))
    for path in ("/static/company.png", "/img/code-editor"):
        site.put_picture(path, draw_picture("picture", 180, 60))
    site.put_page("/advert", '<a href="https://ads.example/"><img src="/wide"></a>')


async def test_none_is_invented(site: LocalSite, stage: Stage) -> None:
    assert len(PAGES) >= 40
    furnish(site)
    outcomes = await visit_all(site, stage, PAGES)
    invented = {name: found.choice for name, found in outcomes.items() if isinstance(found, CaptchaCapture)}
    assert invented == {}
    codes = {name: str(failed) for name, failed in outcomes.items() if not _is_absent(failed)}
    assert codes == {}


def _is_absent(outcome: CaptchaCapture | AttemptFailed) -> bool:
    return isinstance(outcome, AttemptFailed) and outcome.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND


@pytest.mark.parametrize(
    ("html", "seconds"),
    [
        ("<h1>Welcome</h1><p>Nothing moves here</p>", INERT_STILL_SECONDS),
        ("<h1>Welcome</h1>" + "<p>One of many</p>" * 40 + SCRIPT, STILL_SECONDS),
        (f'<form><input name="captcha"></form>{SCRIPT}', EXPECTANT_STILL_SECONDS),
        ("<h1>Welcome</h1>" + "<p>One of many</p>" * 40 + TICKING, LATEST_SECONDS),
    ],
)
async def test_a_page_is_given_up_by_what_it_may_yet_bring(
    html: str, seconds: float, site: LocalSite, stage: Stage
) -> None:
    site.put_page("/", html)
    before_seconds = await measure_capture_seconds(site, stage)
    began_seconds = time.perf_counter()
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url())
    took_seconds = time.perf_counter() - began_seconds
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND
    capture_seconds = max(before_seconds, await measure_capture_seconds(site, stage))
    assert seconds <= took_seconds < seconds + SLACK_IN_CAPTURES * capture_seconds


async def measure_capture_seconds(site: LocalSite, stage: Stage) -> float:
    """Return what a visit takes at present that need not wait."""
    site.put_page("/captcha", '<img id="captcha" src="/line">')
    site.put_picture("/line", draw_picture())
    began_seconds = time.perf_counter()
    await stage.capture(site.url("/captcha"))
    return time.perf_counter() - began_seconds
