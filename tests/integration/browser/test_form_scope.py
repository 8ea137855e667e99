"""Nothing is typed where it may not go, and nothing is sent once the task may be another worker's."""

import asyncio

import pytest
import pytest_asyncio

from captchad.broker.consumer import AttemptOutcome, Settlement
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill
from tests.integration.browser.behavioural_pages import MARKUP
from tests.integration.browser.form_stage import FIELDS, FormSite, FormStage
from tests.integration.browser.many_pages import do_all
from tests.integration.browser.stage import LocalSite, Stage, draw_picture
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALONE = '<img id="captcha" src="/picture"><input id="answer" name="answer">'
# Not the focus: it is given before the captcha is taken, since some pages draw it then.
SPY = (
    "<script>for (const kind of ['click', 'keydown', 'input']) document.querySelector('#answer')"
    ".addEventListener(kind, () => fetch('/touched'))</script>"
)


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, FormSite(site))


def refuses(settlement: Settlement, code: TaskErrorCode) -> bool:
    return (
        settlement.outcome is AttemptOutcome.FAILED and settlement.error is not None and settlement.error.code is code
    )


@pytest.mark.parametrize(
    "form",
    [
        "<form method=post action='{elsewhere}'>" + FIELDS + "</form>",
        "<form method=post action='{elsewhere}'>" + FIELDS + "<input name=action></form>",
        "<form method=post action=/check>" + ALONE + "<button id=send formaction='{elsewhere}'>Send</button></form>",
        "<form id=f method=post action='{elsewhere}'></form><p>" + ALONE + "</p><button id=send form=f>Send</button>",
        "<form method=post action=/check>" + ALONE + "<a id=send href='{elsewhere}'>Send</a></form>",
        "<form method=post action=/check>" + ALONE + "</form><iframe srcdoc=\"<form method=post action='{elsewhere}'>"
        '<button id=send>Send</button></form>"></iframe>',
        "<form method=post action='ftp://127.0.0.1/'>" + FIELDS + "</form>",
        "<base href='{elsewhere}'><form method=post action=check>" + FIELDS.replace('"/', '"{here}/') + "</form>",
    ],
    ids=[
        "action",
        "a hidden action",
        "formaction",
        "another form's button",
        "a link",
        "another frame's form",
        "another scheme",
        "a base",
    ],
)
async def test_a_form_that_leads_out_of_scope_is_not_touched(forms: FormStage, stage: Stage, form: str) -> None:
    other = await stage.add_site(is_declared=False)
    here = forms.form.site.url("").rstrip("/")
    forms.form.show(form.replace("{elsewhere}", other.url("/steal")).replace("{here}", here) + SPY)
    settlement = await forms.settle()
    assert refuses(settlement, TaskErrorCode.TARGET_NOT_ALLOWED), settlement
    assert not other.hits
    assert not forms.form.site.hits["/touched"]
    assert not forms.form.answers


async def test_enter_does_not_send_by_a_button_that_leads_out_of_scope(forms: FormStage, stage: Stage) -> None:
    other = await stage.add_site(is_declared=False)
    button = f"<button formaction='{other.url()}'>Send</button>"
    forms.form.show(f"<form method=post action=/check>{ALONE}{button}</form>{SPY}")
    assert refuses(await forms.settle(fill=Fill("#answer")), TaskErrorCode.TARGET_NOT_ALLOWED)
    assert not other.hits


async def test_a_form_of_another_declared_site_may_be_filled(forms: FormStage, stage: Stage) -> None:
    other = await stage.add_site()
    other.put_page("/check", "<p id=welcome>Welcome</p>")
    forms.form.show(f"<form method=post action='{other.url('/check')}'>{FIELDS}</form>")
    assert (await forms.complete()).verified is True


@pytest.mark.parametrize(
    ("conditions", "verified"),
    [
        ({"success": "#welcome"}, None),
        ({"success": "url:*/welcome?code=*"}, True),
        ({"success": "url:*/elsewhere"}, None),
        ({"failure": ".error"}, True),
        ({}, None),
    ],
)
async def test_an_answer_that_leads_out_of_scope_is_judged_by_the_address_where_it_was_stopped(
    conditions: dict[str, str], verified: bool | None, forms: FormStage, stage: Stage
) -> None:
    other = await stage.add_site(is_declared=False)
    forms.form.site.put_redirect("/check", other.url("/welcome?code=1"))
    result = await forms.complete(fill=Fill("#answer", "#send", **conditions))
    assert (result.verified, result.left_scope_to) == (verified, other.url().rstrip("/"))
    assert len(forms.form.site.hits) > 0
    assert not other.hits


async def test_an_answer_that_leads_to_a_failures_address_out_of_scope_was_wrong(
    forms: FormStage, stage: Stage
) -> None:
    other = await stage.add_site(is_declared=False)
    forms.form.site.put_redirect("/check", other.url("/login?error=captcha"))
    settlement = await forms.settle(fill=Fill("#answer", "#send", failure="url:*error=captcha"), retry_count=0)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER
    assert not other.hits


async def test_every_behavioural_captcha_in_the_form_that_would_be_answered_is_known(
    forms: FormStage, site: LocalSite
) -> None:
    """The picture stands elsewhere, so that it is found and read, and only the form is none to be sent."""
    picture, rest = FIELDS.split(">", 1)
    site.put_picture("/wide", draw_picture("wide", 300, 150))
    for number, widget in enumerate(MARKUP.values()):
        form = f"<form method=post action=/check>{rest}{widget}</form>"
        site.put_page(f"/{number}", f"<div>{picture}></div><div>{form}</div>{SPY}")

    async def settle(path: str) -> Settlement:
        return await forms.settle(url=site.url(path))

    settlements = await do_all(settle, {name: f"/{number}" for number, name in enumerate(MARKUP)})
    messages = {name: str(settlement.error and settlement.error.message) for name, settlement in settlements.items()}
    assert {name: message for name, message in messages.items() if "form also has" not in message} == {}
    assert {name: message for name, message in messages.items() if name not in message} == {}
    assert sum(message.startswith("the form also has") for message in messages.values()) >= len(MARKUP) - 1
    assert all(refuses(settlement, TaskErrorCode.UNSUPPORTED_CAPTCHA) for settlement in settlements.values())
    assert not site.hits["/touched"]
    assert not forms.form.answers


async def test_a_behavioural_captcha_in_another_form_keeps_none_from_being_answered(forms: FormStage) -> None:
    widget = MARKUP["hCaptcha"]
    forms.form.show(f"<form method=post action=/check>{FIELDS}</form><form><input name=mail>{widget}</form>")
    assert (await forms.complete()).verified is True


async def test_an_answer_is_not_sent_once_the_lease_has_lapsed(forms: FormStage) -> None:
    forms.permitted = 0
    settlement = await forms.settle()
    assert settlement.outcome is AttemptOutcome.HANDED_BACK
    assert not forms.form.answers
    assert not forms.form.site.hits["/check"]


async def test_an_attempt_that_is_broken_off_after_reading_sends_nothing(forms: FormStage) -> None:
    task = asyncio.create_task(forms.settle())
    forms.before_answer = task.cancel
    with pytest.raises(asyncio.CancelledError):
        await task
    assert forms.read
    assert not forms.form.answers
    assert not forms.form.site.hits["/check"]


async def test_an_attempt_that_is_broken_off_while_the_button_can_not_be_clicked_never_clicks_it(
    forms: FormStage,
) -> None:
    site = forms.form.site
    cover = "<div id=cover style='position: fixed; inset: 0'></div>"
    typed = "<script>document.querySelector('#answer').addEventListener('keyup', () => fetch('/typed'))</script>"
    forms.form.show(f"<form method=post action=/check>{FIELDS}</form>{cover}{typed}")
    was_typed = site.put_silence("/typed")
    task = asyncio.create_task(forms.settle())
    await asyncio.wait_for(site.arrived.wait(), PATIENCE_SECONDS)
    # Time in which it would have clicked; a machine too slow for that proves less, and fails nothing.
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(was_typed.wait(), PATIENCE_SECONDS)
    assert not site.hits["/check"]
