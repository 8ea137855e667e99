"""A form is filled, sent and verified in the very session its captcha was read in."""

from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web

from captchad.broker.consumer import AttemptOutcome
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill
from captchad.domain.recognition import CaptchaKind, Recognition
from tests.integration.browser.form_stage import (
    FIELDS,
    FORM,
    FormSite,
    FormStage,
    put_script_form,
    quote,
)
from tests.integration.browser.stage import LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUND_AND_MORE_SECONDS = 24.0
"""Enough for the first answer to be refused, which takes about a second on a quiet machine, and all of it is spent."""


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, FormSite(site))


async def test_a_right_answer_is_verified(forms: FormStage) -> None:
    result = await forms.complete()
    assert result.verified is True
    assert result.captcha_text == "word1"
    assert [answer for _, answer in forms.form.answers] == ["word1"]
    assert result.timings_ms["verify"] > 0


async def test_a_wrong_answer_is_tried_again_with_a_new_picture_in_the_same_session(forms: FormStage) -> None:
    forms.misread = 2
    result = await forms.complete(retry_count=2)
    assert result.verified is True
    assert result.captcha_text == "word3"
    visitors = {visitor for visitor, _ in forms.form.answers}
    assert [answer for _, answer in forms.form.answers] == ["nonsense", "nonsense", "word3"]
    assert len(visitors) == 1
    assert "" not in visitors
    # The page that says so shows the next picture by itself, and none is drawn in vain.
    assert len(forms.form.drawn_for) == 3


async def test_a_form_that_asks_before_it_sends_is_sent_where_dialogs_are_accepted(forms: FormStage) -> None:
    forms.form.show(f"<form method=post action=/check onsubmit=\"return confirm('Really send?')\">{FIELDS}</form>")
    assert (await forms.complete(fill=replace(FORM, dialogs="accept"))).verified is True
    assert (await forms.complete()).verified is None
    assert len(forms.form.answers) == 1


async def test_answers_that_stay_wrong_use_up_the_retries_for_good(forms: FormStage) -> None:
    forms.misread = 9
    settlement = await forms.settle(retry_count=1)
    assert settlement.outcome is AttemptOutcome.EXHAUSTED
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER
    assert not settlement.error.is_retryable
    assert len(forms.form.answers) == 2


async def test_attempts_that_failed_before_leave_fewer_answers(forms: FormStage) -> None:
    forms.misread = 9
    await forms.settle(retry_count=3, attempt=3)
    assert len(forms.form.answers) == 2


async def test_arithmetic_is_answered_with_its_result(forms: FormStage) -> None:
    forms.reading = Recognition("15", 1.0, "test", CaptchaKind.MATH, expression="7+8")
    result = await forms.complete(fill=Fill("#answer", "#send"))
    assert [answer for _, answer in forms.form.answers] == ["15"]
    assert (result.expression, result.kind) == ("7+8", CaptchaKind.MATH)


@pytest.mark.parametrize(
    ("success", "failure", "misread", "verified"),
    [
        ("#welcome", None, 0, True),
        ("url:*/check", "text:that was wrong", 0, True),
        ("url:/check*", ".error", 0, True),
        ("text:WELCOME  back", None, 0, True),
        (None, ".error", 0, True),
        (None, None, 0, None),
        (None, None, 1, None),
        ("#nowhere", "#nothing", 0, None),
    ],
)
async def test_success_and_failure_show_as(
    forms: FormStage, success: str | None, failure: str | None, misread: int, verified: bool | None
) -> None:
    forms.misread = misread
    assert (await forms.complete(fill=Fill("#answer", "#send", success, failure))).verified is verified


@pytest.mark.parametrize(
    ("success", "failure"), [("#welcome", None), (None, "text:That was wrong"), ("text:Welcome", "")]
)
async def test_a_wrong_answer_is_noticed_by(forms: FormStage, success: str | None, failure: str | None) -> None:
    forms.misread = 1
    settlement = await forms.settle(retry_count=0, fill=Fill("#answer", "#send", success, failure or None))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER


async def test_enter_sends_a_form_without_a_button(forms: FormStage) -> None:
    assert (await forms.complete(fill=Fill("#answer", success="#welcome"))).verified is True


async def test_a_field_is_cleared_and_typed_into_as_a_user_does(forms: FormStage) -> None:
    put_script_form(forms.form, "show('#welcome', await check(seen.join('') + field.value))")
    form = forms.form
    form.show(
        form.page.replace('name="answer"', 'name="answer" value="old" placeholder="code"') + "<script>const seen = [];"
        "field.addEventListener('keyup', (event) => { if (event.key === '1') seen.push('u') });"
        "field.addEventListener('input', () => { if (field.value === 'word1') seen.push('i') });"
        "field.addEventListener('change', () => seen.push('c'));</script>"
    )
    await forms.complete(fill=Fill("#answer", "#send"))
    assert [answer for _, answer in form.answers] == ["iucword1"]


async def test_an_error_that_stays_on_the_page_does_not_condemn_the_next_answer(forms: FormStage) -> None:
    put_script_form(
        forms.form,
        "const right = await check(field.value); await new Promise((go) => setTimeout(go, 300));"
        "show('.error', !right); show('#welcome', right); if (!right) picture.src = '/picture?' + Math.random();",
    )
    forms.misread = 1
    result = await forms.complete()
    assert result.verified is True
    assert len(forms.form.drawn_for) == 2


@pytest.mark.parametrize("wrong", ["alert('No, wrong!')", "confirm('No, wrong! Again?')"])
async def test_dialogs_are_read_and_dismissed(forms: FormStage, wrong: str) -> None:
    put_script_form(
        forms.form,
        f"if (await check(field.value)) alert('All right'); else {{ {wrong}; picture.src = '/picture?2'; }}",
    )
    forms.misread = 1
    fill = Fill("#answer", "#send", "text:all right", "text:wrong!")
    assert (await forms.complete(fill=fill)).verified is True
    assert len(forms.form.answers) == 2


async def test_the_named_button_draws_the_next_picture(forms: FormStage) -> None:
    put_script_form(forms.form, "show('.error', !await check(field.value));")
    forms.form.show(
        forms.form.page
        + "<button id=again type=button onclick=\"picture.src = '/picture?' + Math.random()\">x</button>"
    )
    forms.misread = 1
    result = await forms.complete(fill=Fill("#answer", "#send", failure=".error", refresh="#again"))
    assert result.captcha_text == "word2"
    assert forms.form.site.hits["/"] == 1


async def test_without_one_the_picture_itself_is_clicked(forms: FormStage) -> None:
    put_script_form(forms.form, "show('.error', !await check(field.value));")
    forms.form.show(forms.form.page.replace("<img", "<img onclick=\"this.src = '/picture?' + Math.random()\""))
    forms.misread = 1
    result = await forms.complete(fill=Fill("#answer", "#send", failure=".error"))
    assert result.captcha_text == "word2"
    assert forms.form.site.hits["/"] == 1


async def test_a_page_that_draws_no_other_picture_is_opened_anew_in_the_same_session(forms: FormStage) -> None:
    put_script_form(
        forms.form, "const right = await check(field.value); show('.error', !right); show('#welcome', right);"
    )
    forms.misread = 1
    result = await forms.complete()
    assert (result.captcha_text, result.verified) == ("word2", True)
    assert forms.form.site.hits["/"] == 2
    assert len({visitor for visitor, _ in forms.form.answers}) == 1


async def test_a_doubtful_reading_is_not_sent_but_tried_with_another_picture(forms: FormStage) -> None:
    put_script_form(
        forms.form, "const right = await check(field.value); show('.error', !right); show('#welcome', right);"
    )
    forms.form.show(forms.form.page.replace("<img", "<img onclick=\"this.src = '/picture?' + Math.random()\""))
    forms.minimum_confidence, forms.confidences = 0.8, [0.3, 0.9]
    result = await forms.complete()
    assert [answer for _, answer in forms.form.answers] == ["word2"]
    assert result.verified is True


async def test_a_doubtful_reading_of_a_picture_that_stays_is_unreadable(forms: FormStage) -> None:
    forms.minimum_confidence, forms.confidences = 0.8, [0.3]
    settlement = await forms.settle()
    assert settlement.outcome is AttemptOutcome.RETRYABLE
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.CAPTCHA_UNREADABLE
    assert not forms.form.answers


@pytest.mark.parametrize(
    "page",
    [
        f'<iframe srcdoc="{quote(f"<form method=post action=/check>{FIELDS}</form>")}"></iframe>',
        '<iframe src="/inner"></iframe>',
        "<div id=host></div><script>document.querySelector('#host').attachShadow({mode: 'open'}).innerHTML = "
        f"'<form method=post action=/check>{FIELDS}</form>'</script>",
    ],
    ids=["a written frame", "a frame", "a shadow root"],
)
async def test_fields_are_found_inside(forms: FormStage, page: str) -> None:
    form = forms.form

    async def inner(_: web.Request) -> web.StreamResponse:
        html = f'<form method="post" action="/check">{FIELDS}</form>'
        return web.Response(text=html, content_type="text/html")

    form.site.put("/inner", inner)
    form.show(page)
    assert (await forms.complete()).verified is True


async def test_an_overloaded_site_is_left_alone_as_it_asks(forms: FormStage) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "7"})

    forms.form.site.put("/check", refuse)
    settlement = await forms.settle()
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.HTTP_ERROR
    assert settlement.retry_after_seconds == 7


async def test_evidence_shows_picture_and_page(forms: FormStage) -> None:
    settlement = await forms.settle(evidence=True)
    assert settlement.evidence is not None
    assert settlement.evidence.picture in forms.form.texts
    assert (settlement.evidence.screenshot or b"").startswith(b"\x89PNG")
    assert "captcha" in settlement.evidence.choice
    assert (await forms.settle()).evidence is None


async def test_a_field_that_is_not_there_is_named(forms: FormStage) -> None:
    settlement = await forms.settle(fill=Fill("#nothing"))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.CAPTCHA_NOT_FOUND
    assert settlement.error.message == "fill.input: nothing visible matches #nothing"


async def test_wrong_answers_are_the_reason_when_the_time_is_up(forms: FormStage) -> None:
    def keep_silent_from_now_on() -> None:
        if len(forms.read) == 2:
            forms.form.site.put_silence("/check")

    forms.misread, forms.before_answer = 9, keep_silent_from_now_on
    settlement = await forms.settle(retry_count=10, timeout_seconds=ROUND_AND_MORE_SECONDS)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER
    assert settlement.outcome is AttemptOutcome.RETRYABLE
    assert "the time was up" in settlement.error.message


async def test_a_form_that_is_never_answered_times_out(forms: FormStage) -> None:
    forms.form.site.put_silence("/check")
    settlement = await forms.settle(timeout_seconds=8.0)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.ATTEMPT_TIMEOUT
