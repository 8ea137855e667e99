"""An answer of which no condition says what became is judged by what changed on the page."""

import pytest
import pytest_asyncio

from captchad.domain.page import Fill
from tests.integration.browser.endings import PAGE_FORM, RIGHT, WRONG, Ending
from tests.integration.browser.form_stage import FORM, FormSite, FormStage
from tests.integration.browser.stage import LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

RIGHT_AT_LEAST = 0.7
WRONG_AT_MOST = 0.3


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, FormSite(site))


async def judge(forms: FormStage, ending: Ending) -> float:
    ending.put_on(forms.form)
    settlement = await forms.settle(fill=Fill("#answer", "#send"), evidence=True)
    assert settlement.result is not None, settlement.error
    assert settlement.result.verified is None
    assert settlement.evidence is not None
    assert settlement.evidence.judgement is not None
    return settlement.evidence.judgement


@pytest.mark.parametrize("ending", RIGHT, ids=lambda one: one.name)
async def test_a_right_ending_is_likely_right(forms: FormStage, ending: Ending) -> None:
    assert await judge(forms, ending) > RIGHT_AT_LEAST


@pytest.mark.parametrize("ending", WRONG, ids=lambda one: one.name)
async def test_a_wrong_ending_is_likely_wrong(forms: FormStage, ending: Ending) -> None:
    assert await judge(forms, ending) < WRONG_AT_MOST


async def test_an_answer_with_a_condition_is_not_judged(forms: FormStage) -> None:
    settlement = await forms.settle(fill=FORM, evidence=True)
    assert settlement.evidence is not None
    assert settlement.evidence.judgement is None


async def test_an_answer_that_leads_out_of_scope_is_judged_by_where_it_led(forms: FormStage) -> None:
    ending = Ending("elsewhere", status=303, headers={"Location": "http://captchad.invalid/welcome"})
    assert await judge(forms, ending) > RIGHT_AT_LEAST


async def test_a_page_of_thousands_of_messages_inside_each_other_is_judged(forms: FormStage) -> None:
    nested = '<div class="message error">' * 8000
    assert (
        await judge(forms, Ending("nested", "<h1>Welcome back</h1>", page=PAGE_FORM + nested + "text")) > RIGHT_AT_LEAST
    )
