"""Captchas that are text of the page: found by themselves, read without a recogniser, and never invented."""

import pytest
from aiohttp import web

from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Fill, PageOrder
from captchad.domain.recognition import CaptchaKind, Hints
from tests.integration.browser.form_stage import ERROR, FormSite, FormStage
from tests.integration.browser.many_pages import visit_all
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage, draw_picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELD = '<input name="captcha">'
LETTERS = "".join(
    f'<i style="display:inline-block;transform:rotate({9 * n - 9}deg)">{c}</i>' for n, c in enumerate("7KM4")
)
SHUFFLED = "".join(
    f'<i style="position:absolute;left:{20 * at}px;top:4px">{letter}</i>'
    for at, letter in ((2, "M"), (0, "7"), (3, "4"), (1, "K"))
)
CODES = {
    "a span": f'<form><input name="user">{FIELD}<span id="checkCode">7KM4</span></form>',
    "a span that a script fills": f'<form>{FIELD}<b id="vcode"></b></form><script>vcode.innerText = "7KM4"</script>',
    "a button": f'<form>{FIELD}<input type="button" id="checkCode" value="7KM4"></form>',
    "a read-only field": f'<form>{FIELD}<input id="checkCode" readonly value="7KM4"></form>',
    "letters apart": f'<form>{FIELD}<div id="code" class="code">{LETTERS}</div></form>',
    "letters out of order": f'<form>{FIELD}<div class="code" style="position:relative;width:90px;height:30px">'
    f"{SHUFFLED}</div></form>",
    "a decoy among the letters": f'<form>{FIELD}<p class="code"><i>7</i><i>K</i><i hidden>X</i><i>M</i><i>4</i></p>'
    "</form>",
    "a label in Chinese": '<form>验证码 <input name="yzm"> <b>7KM4</b>'
    '<a href="javascript:void 0">看不清换一张</a></form>',
    "on a picture of nothing": f'<form>{FIELD}<div id="checkCode" style="background:url(/picture);width:90px">'
    "7KM4</div></form>",
    "in another case": f'<form>{FIELD}<b id="checkCode" style="text-transform:uppercase">7km4</b></form>',
    "letters turned round": f'<form>{FIELD}<b id="checkCode" style="unicode-bidi:bidi-override;direction:rtl">4MK7</b>'
    "</form>",
    "a label's own": f'<form>{FIELD}<label id="lblCheckCode">7KM4</label></form>',
    "of the style alone": f"<style>#vcode::before {{ content: attr(data-v) }}</style><form>{FIELD}"
    '<b id="vcode" data-v="7KM4"></b></form>',
    "in a shadow root": "<x-form></x-form><script>"
    'document.querySelector("x-form").attachShadow({mode: "open"}).innerHTML ='
    f"'<form>{FIELD}<b id=checkCode>7KM4</b></form>'</script>",
}
SUMS = {
    "before the field": '<form><fieldset class="captcha"><span>3 + 4 =</span>'
    '<input name="captcha_response"></fieldset></form>',
    "in words": '<form><p>Security question: what is three plus four? <input name="captcha"></p></form>',
    "in Chinese": '<form><p>验证码 三加四等于几？<input name="yzm"></p></form>',
    "in pieces": '<form><p>Captcha: <b>3</b> + <b>4</b> = <input name="c"></p></form>',
    "in the label": '<form><label for="c">Captcha: 3 + 4 = ?</label><input id="c" name="captcha"></form>',
    "in the placeholder": '<form><input name="captcha" placeholder="3 + 4 = ?"></form>',
    "after the field": '<form><input name="captcha"> <i class="captcha-question">What is 3 + 4?</i></form>',
    "with a gap": '<form><p class="captcha">2 + <input name="captcha"> = 9</p></form>',
}
NONE = {
    "a button's word": f'<form>{FIELD}<button type="button" id="changeCode">Refresh</button>'
    '<b class="captcha">Code</b></form>',
    "a code by message": '<form><input type="tel" name="phone"><input name="code" placeholder="验证码"><b>A1B2</b>'
    '<button type="button">获取验证码</button></form>',
    "a promotion": '<form><input name="coupon_code" placeholder="Coupon"><b>SAVE20</b></form>',
    "a code without a field": "<p>Your booking: <b>K7XW2</b></p>",
    "years beside a search": '<form><span>2020 - 2024</span><input name="q"></form>',
    "prices": '<form><span>3 x 4 EUR</span><input name="quantity"></form>',
    "links to other logins": '<form><input name="user"><input type="password">'
    + "".join(f'<a href="/login/{n}"><img src="/tile?{n}" width="24" height="24"></a>' for n in range(4))
    + "</form>",
    "badges": '<form><input name="user">' + '<img src="/tile" width="30" height="24">' * 4 + "</form>",
}


def read(outcome: CaptchaCapture | AttemptFailed) -> str:
    """Return the answer that a visit found, or what it found instead."""
    if isinstance(outcome, AttemptFailed):
        return str(outcome)
    return outcome.choice if outcome.reading is None else outcome.reading.text


async def test_codes_and_sums_are_found_by_themselves(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    codes = await visit_all(site, stage, CODES)
    assert {name: read(outcome) for name, outcome in codes.items() if read(outcome) != "7KM4"} == {}
    sums = await visit_all(site, stage, SUMS)
    assert {name: read(outcome) for name, outcome in sums.items() if read(outcome) != "7"} == {}
    for outcome in (*codes.values(), *sums.values()):
        assert isinstance(outcome, CaptchaCapture)
        assert outcome.reading is not None
        assert outcome.reading.kind is CaptchaKind.PAGE_TEXT
        assert outcome.reading.confidence > 0.9


async def test_no_other_text_is_taken_for_one(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/tile", draw_picture("x", 24, 24))
    outcomes = await visit_all(site, stage, NONE)
    assert {name: read(outcome) for name, outcome in outcomes.items() if isinstance(outcome, CaptchaCapture)} == {}


async def test_a_picture_comes_before_any_text(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_page("/", f'<form><b class="captcha-number">A1B2</b>{FIELD}<img src="/picture" id="captcha"></form>')
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_at_the_field_for_the_answer_a_sum_needs_no_captcha_words(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", '<form><p>What is 3 + 4?</p><input id="a"></form>')
    order = PageOrder(site.url(), "127.0.0.1", fill=Fill("#a", None))
    assert read(await stage.read_page(order)) == "7"


async def test_a_word_that_may_be_the_code_is_less_sure(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", f'<form>{FIELD}<b id="checkCode">kmxp</b></form>')
    sure = (await stage.capture(site.url())).reading
    site.put_page("/", f'<form>{FIELD}<b id="checkCode">k m x p</b></form>')
    doubtful = (await stage.capture(site.url())).reading
    assert sure is not None
    assert doubtful is not None
    assert (sure.text, doubtful.text) == ("kmxp", "kmxp")
    assert 0.9 > sure.confidence > doubtful.confidence


class TextForm(FormSite):
    """A form whose code is text; a script draws another one when it is clicked."""

    def __init__(self, site: LocalSite) -> None:
        super().__init__(site)
        self.show(
            '<form method="post" action="/check"><input id="answer" name="answer"><b id="checkCode" '
            'onclick="this.innerText = \'2XY9\'">7KM4</b><button id="send">Send</button></form>'
        )

    def is_right(self, visitor: str, answer: str) -> bool:
        self.answers.append((visitor, answer))
        return len(self.answers) > 1

    def _answer(self, request: web.Request, html: str) -> web.StreamResponse:
        return super()._answer(request, html if ERROR not in html else html.replace("7KM4", "5AB6"))


async def test_a_text_is_answered_and_after_a_wrong_answer_the_next_one(site: LocalSite, stage: Stage) -> None:
    forms = FormStage(stage, TextForm(site), collects_labels=True)
    settlement = await forms.settle(retry_count=2)
    result = settlement.result
    assert result is not None, settlement.error
    assert (result.captcha_text, result.kind, result.verified) == ("5AB6", CaptchaKind.PAGE_TEXT, True)
    assert [answer for _, answer in forms.form.answers] == ["7KM4", "5AB6"]
    # No recogniser was asked, and there is no picture worth learning from.
    assert forms.read == []
    assert settlement.answers is not None
    assert settlement.answers.judged == ()


async def test_a_text_that_does_not_fit_the_hints_is_not_answered(site: LocalSite, stage: Stage) -> None:
    forms = FormStage(stage, TextForm(site))
    settlement = await forms.settle(hints=Hints(charset="0123456789"), retry_count=0)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.CAPTCHA_UNREADABLE
    assert forms.form.answers == []
