"""An answer is counted only once nothing is in the way of sending it, and a page that is busy then does not lose it."""

import pytest
import pytest_asyncio

from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill, Step
from tests.integration.browser.form_stage import FIELDS, FORM, FormSite, FormStage
from tests.integration.browser.stage import LocalSite, Stage
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Longer than a click that waits for nothing is ever given.
BUSY = "const until = Date.now() + 2500; while (Date.now() < until);"


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, FormSite(site))


@pytest.mark.parametrize("event", ["mousedown", "mouseup", "click"])
async def test_a_page_that_is_busy_while_it_is_clicked_gets_its_answer(forms: FormStage, event: str) -> None:
    forms.form.show(
        forms.form.page + f"<script>document.querySelector('#send').addEventListener('{event}', () => {{ {BUSY} }})"
        "</script>"
    )
    assert (await forms.complete()).verified is True


async def test_a_page_that_is_busy_while_enter_is_pressed_gets_its_answer(forms: FormStage) -> None:
    script = f"document.querySelector('#answer').onkeydown = (event) => {{ if (event.key === 'Enter') {{ {BUSY} }} }}"
    forms.form.show(f"{forms.form.page}<script>{script}</script>")
    assert (await forms.complete(fill=Fill("#answer", success="#welcome"))).verified is True


async def test_a_step_may_click_what_keeps_the_page_busy(forms: FormStage) -> None:
    forms.form.show(
        f"{forms.form.page}<button id=open>Sign in</button>"
        f"<script>document.querySelector('#open').onmousedown = () => {{ {BUSY} }}</script>"
    )
    assert (await forms.complete(steps=(Step("click", "#open"),))).verified is True


@pytest.mark.parametrize(
    ("when_typed", "reason"),
    [
        ("button.disabled = true", "fill.submit: #send is disabled"),
        ("cover.hidden = false", "fill.submit: #send is covered by div#cover"),
        ("button.remove()", "fill.submit: #send is gone or hidden"),
    ],
)
async def test_what_is_in_the_way_of_the_click_costs_no_answer(forms: FormStage, when_typed: str, reason: str) -> None:
    forms.form.show(
        forms.form.page + '<div id="cover" hidden style="position: fixed; inset: 0"></div><script>'
        "const button = document.querySelector('#send'), cover = document.querySelector('#cover');"
        f"document.querySelector('#answer').addEventListener('input', () => {{ {when_typed} }})</script>"
    )
    before = forms.permitted
    settlement = await forms.settle()
    assert settlement.error is not None
    assert reason in settlement.error.message
    assert forms.permitted == before
    assert not forms.form.answers


async def test_a_field_that_goes_as_it_is_typed_into_costs_no_answer(forms: FormStage) -> None:
    script = "document.querySelector('#answer').addEventListener('keyup', (event) => event.target.remove())"
    forms.form.show(f"{forms.form.page}<script>{script}</script>")
    before = forms.permitted
    settlement = await forms.settle(fill=Fill("#answer", success="#welcome"))
    assert settlement.error is not None
    assert settlement.error.message.startswith("fill.input: #answer")
    assert forms.permitted == before


async def test_a_page_that_never_reacts_to_the_answer_is_named_as_the_reason(forms: FormStage) -> None:
    forms.form.show(
        f"<form method=post action=/check>{FIELDS}</form>"
        "<script>document.querySelector('#send').onmousedown = () => { for (;;); }</script>"
    )
    settlement = await forms.settle(timeout_seconds=min(12.0, PATIENCE_SECONDS), fill=FORM)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.ATTEMPT_TIMEOUT
    assert settlement.error.message == "the time was up before the page had reacted to the answer (#send)"
