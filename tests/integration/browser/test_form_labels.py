"""What a site says of each answer is taken down with the very picture that was read, in a real browser."""

import pytest
import pytest_asyncio

from captchad.domain.label import CollectedAnswers, Verdict
from captchad.domain.page import Fill
from captchad.domain.recognition import CaptchaKind, Character, Recognition
from tests.integration.browser.form_stage import FormSite, FormStage
from tests.integration.browser.stage import LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, FormSite(site), collects_labels=True)


async def collect(forms: FormStage, **request: object) -> CollectedAnswers:
    answers = (await forms.settle(**request)).answers
    assert answers is not None
    assert answers.host == "127.0.0.1"
    return answers


async def test_refused_answers_and_the_accepted_one(forms: FormStage) -> None:
    forms.misread = 2
    answers = await collect(forms, retry_count=2)
    assert [(one.text, one.verdict) for one in answers.judged] == [
        ("nonsense", Verdict.WRONG),
        ("nonsense", Verdict.WRONG),
        ("word3", Verdict.RIGHT),
    ]
    assert [forms.form.texts[one.picture] for one in answers.judged] == ["word1", "word2", "word3"]
    assert answers.unjudged_picture == b""


async def test_answers_of_an_attempt_that_failed(forms: FormStage) -> None:
    forms.misread = 9
    assert [one.verdict for one in (await collect(forms, retry_count=1)).judged] == [Verdict.WRONG] * 2


async def test_an_answer_of_which_the_site_says_nothing_is_kept_for_a_report(forms: FormStage) -> None:
    for fill in (None, Fill("#answer", "#send")):
        answers = await collect(forms, fill=fill)
        assert answers.judged == ()
        assert answers.unjudged_picture == forms.read[-1]


async def test_of_arithmetic_what_is_drawn(forms: FormStage) -> None:
    characters = tuple(Character(one, 0.9) for one in "3+5=?")
    forms.reading = Recognition("8", 0.9, "test", CaptchaKind.MATH, characters, "3 + 5")
    [answer] = (await collect(forms, retry_count=0)).judged
    assert (answer.text, answer.verdict) == ("3+5=?", Verdict.WRONG)


async def test_nothing_where_no_labels_are_collected(forms: FormStage) -> None:
    forms.collects_labels = False
    assert (await forms.settle()).answers is None
