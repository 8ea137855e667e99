"""A page that sends the answer by itself, at its last letter, gets no more answers than are permitted."""

import asyncio

import pytest
import pytest_asyncio
from aiohttp import web

from captchad.browser.forms.submission import UNASKED_SECONDS
from captchad.domain.page import Fill
from captchad.solving.permission import explain_all_sent
from tests.integration.browser.form_stage import COOKIE, FIELDS, FORM, FormSite, FormStage, put_script_form
from tests.integration.browser.stage import LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
LETTERS = len("word1")
SENT = (
    "show(await check(field.value) ? '#welcome' : '.error', true);"
    " field.value = ''; picture.src = '/picture?' + Math.random()"
)
AT_LAST_LETTER = (
    "<script>document.querySelector('#answer').addEventListener('input', async ({{ target }}) => {{"
    f" if (target.value.length === {LETTERS}) {{{{ {{send}} }}}} }}}})</script>"
)


def put_sending_form(form: FormSite, way: str) -> None:
    if way == "a script":
        put_script_form(form, "")
        form.show(form.page + AT_LAST_LETTER.format(send=SENT))
    elif way == "a script that only checks":
        form.show(form.page + AT_LAST_LETTER.format(send="fetch('/is_short?code=' + target.value)"))
    else:
        form.show(form.page + AT_LAST_LETTER.format(send="target.form.requestSubmit()"))


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    site.put_page("/is_short", "no")
    return FormStage(stage, FormSite(site))


WAYS = pytest.mark.parametrize("way", ["a form", "a script", "a script that only checks"])


@WAYS
async def test_a_right_answer_is_counted_and_sent_once(way: str, forms: FormStage) -> None:
    put_sending_form(forms.form, way)
    before = forms.permitted
    assert (await forms.complete()).verified is True
    assert (len(forms.form.answers), before - forms.permitted) == (1, 1)


@WAYS
@pytest.mark.parametrize("fill", [FORM, Fill("#answer", success="#welcome", failure=".error")])
async def test_a_wrong_answer_is_followed_by_another_one(way: str, fill: Fill, forms: FormStage) -> None:
    put_sending_form(forms.form, way)
    forms.misread = 1
    before = forms.permitted
    assert (await forms.complete(fill=fill)).verified is True
    assert (len(forms.form.answers), before - forms.permitted) == (2, 2)


@pytest.mark.parametrize(("permitted", "sent"), [(1, 0), (2, 1)])
async def test_a_click_after_something_was_posted_is_counted_too(permitted: int, sent: int, forms: FormStage) -> None:
    posting = "fetch('/is_short', { method: 'POST', body: target.value })"
    forms.form.show(forms.form.page + AT_LAST_LETTER.format(send=posting))
    forms.permitted, forms.refusal = permitted, explain_all_sent(permitted)
    result = await forms.complete(fill=Fill("#answer", "#send", success="#welcome", failure=".error"))
    assert (result.verified, len(forms.form.answers), forms.permitted) == (True if sent else None, sent, 0)


async def test_a_page_whose_server_takes_its_time_is_not_clicked_as_well(forms: FormStage) -> None:
    put_sending_form(forms.form, "a script")

    async def check_slowly(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(UNASKED_SECONDS * 2)
        return web.json_response(forms.form.is_right(request.cookies.get(COOKIE, ""), request.query["answer"]))

    forms.form.site.put("/verdict", check_slowly)
    # Unlike the usual one, the button sends too.
    forms.form.show(forms.form.page.replace("event.preventDefault(); ", f"event.preventDefault(); {SENT};"))
    forms.misread = 1
    assert (await forms.complete()).verified is True
    assert len(forms.form.answers) == 2


def send_by(script: str) -> str:
    """Return a form whose page sends the answer at its last letter, and draws another picture then."""
    return (
        f"<form onsubmit='return false'>{FIELDS}</form><p class=error hidden>no</p>"
        "<script>const field = document.querySelector('#answer'), picture = document.querySelector('#captcha');"
        "const draw = () => { field.value = ''; picture.src = '/picture?' + Math.random();"
        " document.querySelector('.error').hidden = false };"
        f"field.addEventListener('input', () => {{ if (field.value.length === {LETTERS}) {{ {script} }} }})</script>"
    )


UNCLEAR = {
    "a picture": "const sent = new Image(); sent.onload = sent.onerror = draw; sent.src = '/sent?' + field.value",
    "a script": "const sent = document.createElement('script'); sent.onload = sent.onerror = draw;"
    " sent.src = '/sent?' + field.value; document.head.append(sent)",
    "a code": "fetch('/sent', { method: 'POST', body: btoa(field.value) }).then(draw)",
    "a websocket": "const sent = new WebSocket(`ws://${location.host}/sent`);"
    " sent.onopen = () => { sent.send(field.value); sent.onclose = draw }",
    "a worker": "const code = 'onmessage = (event) => fetch(event.data).then(() => postMessage(0))';"
    " const sent = new Worker(URL.createObjectURL(new Blob([code])));"
    " sent.onmessage = draw; sent.postMessage(`${location.origin}/sent?${field.value}`)",
    "a timer": "const sent = field.value; picture.src = '/picture?' + Math.random();"
    " setTimeout(() => fetch('/sent?' + sent).then(draw), 100)",
}


CANNOT_BE_HELD = ("a websocket", "a worker")
"""They are counted once they are seen, so that one more than is permitted may be on its way."""


@pytest.mark.parametrize("way", UNCLEAR)
async def test_a_page_that_draws_another_picture_gets_no_more_answers(way: str, forms: FormStage) -> None:
    sent: list[str] = []

    async def take(request: web.Request) -> web.StreamResponse:
        sent.append(request.path_qs)
        if "upgrade" not in request.headers.get("Connection", "").lower():
            return web.Response(text="no")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.close()
        return socket

    forms.form.site.put("/sent", take)
    forms.form.show(send_by(UNCLEAR[way]))
    forms.permitted = 1
    settlement = await forms.settle(retry_count=5)
    assert settlement.result is None
    assert forms.permitted == 0
    assert 1 <= len(sent) <= 1 + (way in CANNOT_BE_HELD)
    assert forms.form.answers == []


@WAYS
async def test_an_answer_that_is_not_permitted_is_not_sent(way: str, forms: FormStage) -> None:
    put_sending_form(forms.form, way)
    forms.misread, forms.permitted = 1, 1
    settlement = await forms.settle()
    assert settlement.result is None
    assert len(forms.form.answers) == 1
