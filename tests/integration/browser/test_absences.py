"""Where no captcha is found, the error says what a person would see on the page."""

import pytest

from captchad.browser.finding.finder import ADVICE
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser.stage import CAPTCHA_PNG, SQUARE_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK_SECONDS = 3.0


async def fail(stage: Stage, site: LocalSite, selector: str | None = None) -> str:
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url("/first?next=secret"), selector, timeout_seconds=LOOK_SECONDS)
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND
    return failed.value.message


async def test_a_picture_that_is_no_captcha_is_named_with_its_score(site: LocalSite, stage: Stage) -> None:
    site.put_page("/first", '<img class="site-logo" src="/logo.png"><p>Hello</p>')
    site.put_picture("/logo.png", SQUARE_PNG)
    message = await fail(stage, site)
    assert message.startswith("no picture on the page looks like a captcha; the likeliest was img 120x120 [")
    assert "site-logo" in message
    assert "score -" in message
    assert "named something else" in message
    assert ", wanted is " in message


async def test_a_page_without_a_picture_names_none(site: LocalSite, stage: Stage) -> None:
    site.put_page("/first", "<p>Hello</p>")
    assert await fail(stage, site) == f"no picture on the page looks like a captcha; {ADVICE}"


@pytest.mark.parametrize("selector", ["#code", None])
async def test_a_page_that_led_to_a_login_says_so(site: LocalSite, stage: Stage, selector: str | None) -> None:
    site.put_redirect("/first", "/login?ticket=secret")
    site.put_page("/login", "<form><input name=user><input type=password></form>")
    message = await fail(stage, site, selector)
    assert message.removesuffix(f"; {ADVICE}").endswith(f"; the page led to {site.url('/login')}")
    assert ("no loaded element matches #code" in message) == (selector is not None)


async def test_a_page_that_stayed_where_it_was_opened_leads_nowhere(site: LocalSite, stage: Stage) -> None:
    site.put_page("/first", "<img id=captcha src=/picture><script>history.replaceState({}, '', '/first?x#y')</script>")
    site.put_picture("/picture", CAPTCHA_PNG)
    assert await fail(stage, site, "#absent") == "no loaded element matches #absent"
