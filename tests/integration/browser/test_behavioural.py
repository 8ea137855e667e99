"""Behavioural captchas are named as unsupported, also beside a text one in the same form, and never touched."""

import pytest

from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser.behavioural_pages import MARKUP
from tests.integration.browser.many_pages import Outcome, visit_all
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage, draw_picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPTCHA = '<input name="captcha"><img id="captcha" src="/picture">'
LOGIN = '<input name="user"><input type="password" name="password">'
WIDGET = '<div class="h-captcha"></div>'
BUTTON = "<button type='button'>Go</button>"


def put_pictures(site: LocalSite) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_picture("/wide", draw_picture("wide", 300, 150))


def explain(outcome: Outcome) -> str:
    """Return what is said of a page that can't be solved, "" of another."""
    if isinstance(outcome, CaptchaCapture) or outcome.task_error_code is not TaskErrorCode.UNSUPPORTED_CAPTCHA:
        return ""
    return outcome.message


async def test_each_is_known_by_name_and_left_alone(site: LocalSite, stage: Stage) -> None:
    put_pictures(site)
    pages = {name: f"<form>{LOGIN}{html}</form>" for name, html in MARKUP.items()}
    outcomes = await visit_all(site, stage, pages)
    assert {name: explain(outcome) for name, outcome in outcomes.items() if name not in explain(outcome)} == {}
    assert not {path for path in site.hits if not path.startswith(("/page-", "/wide", "/favicon.ico"))}


UNSOLVABLE = {
    "in the same form": f"<form>{LOGIN}{CAPTCHA}{WIDGET}</form>",
    "as a field of the form": f'<form>{LOGIN}{CAPTCHA}<input type="hidden" name="cf-turnstile-response"></form>',
    "in the same login without a form": f"<div>{LOGIN}{CAPTCHA}{WIDGET}{BUTTON}</div>",
    "in a frame of the form": f'<form>{CAPTCHA}<iframe src="/widget"></iframe></form>',
    "around a frame with the picture": f'<form>{LOGIN}<iframe src="/framed"></iframe>{WIDGET}</form>',
}


async def test_a_text_captcha_does_not_help_beside_one(site: LocalSite, stage: Stage) -> None:
    put_pictures(site)
    site.put_page("/widget", WIDGET)
    site.put_page("/framed", '<img id="captcha" src="/picture">')
    outcomes = await visit_all(site, stage, UNSOLVABLE)
    assert {name for name, outcome in outcomes.items() if "form also has" not in explain(outcome)} == set()
    assert not any(isinstance(outcome, AttemptFailed) and outcome.is_retryable for outcome in outcomes.values())


async def test_each_is_known_beside_a_text_captcha_in_its_form(site: LocalSite, stage: Stage) -> None:
    put_pictures(site)
    pages = {name: f"<form>{LOGIN}{CAPTCHA}{html}</form>" for name, html in MARKUP.items()}
    outcomes = await visit_all(site, stage, pages)
    assert {name: explain(outcome) for name, outcome in outcomes.items() if name not in explain(outcome)} == {}


SOLVABLE = {
    "in another form": f"<form>{LOGIN}{CAPTCHA}</form><form><input name='newsletter'>{WIDGET}</form>",
    "in another part of the page": f"<div>{LOGIN}{CAPTCHA}{BUTTON}</div><div><input name='mail'>{WIDGET}{BUTTON}</div>",
    "for the page as a whole": '<script src="https://www.google.com/recaptcha/api.js?render=6Lx"></script>'
    f"<form>{LOGIN}{CAPTCHA}</form>",
}


async def test_one_elsewhere_leaves_a_text_captcha_to_be_read(site: LocalSite, stage: Stage) -> None:
    put_pictures(site)
    outcomes = await visit_all(site, stage, SOLVABLE)
    assert [str(outcome) for outcome in outcomes.values() if not isinstance(outcome, CaptchaCapture)] == []
