"""A window that an answer opens is judged as the page is; every other one is closed."""

import io

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image
from playwright.async_api import Browser

from captchad.browser.forms.verdict import UNMOVED_SECONDS
from captchad.browser.tabs.tab import FRAMES_FLOOD
from captchad.domain.errors import TaskErrorCode
from captchad.domain.page import Fill
from tests.integration.browser.form_stage import COOKIE, ERROR, FIELDS, WELCOME, FormSite, FormStage, put_script_form
from tests.integration.browser.stage import LocalSite, Stage
from tests.patience import until_true

pytestmark = pytest.mark.asyncio(loop_scope="module")
SUCCESS_ALONE, FAILURE_ALONE = Fill("#answer", "#send", success="#welcome"), Fill("#answer", "#send", failure=".error")
GREEN = "<style>html { background: rgb(0, 128, 0) }</style>"
OPENERS = {
    "a form's target": f"<form method=post action=/check target=_blank>{FIELDS}</form>",
    "a form's target without opener": f"<form method=post action=/check target=_blank rel=noopener>{FIELDS}</form>",
    "window.open": f"<form id=f>{FIELDS}</form><script>f.onsubmit = () => {{ "
    "open('/window?answer=' + document.querySelector('#answer').value); return false }</script>",
    "a window that is written": f"<form id=f>{FIELDS}</form><script>f.onsubmit = () => {{ const shown = open('');"
    "fetch('/window?answer=' + document.querySelector('#answer').value).then((reply) => reply.text())"
    ".then((html) => shown.document.write(html)); return false }</script>",
}


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    form = FormSite(site)

    async def check(request: web.Request) -> web.StreamResponse:
        sent = request.query if request.method == "GET" else await request.post()
        is_right = form.is_right(request.cookies.get(COOKIE, ""), str(sent["answer"]))
        response = web.Response(text=GREEN + (WELCOME if is_right else ERROR), content_type="text/html")
        response.set_cookie("login", "done" if is_right else "refused")
        return response

    site.put("/window", check)
    site.put("/check", check)
    return FormStage(stage, form)


def with_popup(form: FormSite, popup: str) -> None:
    """Show a form that opens a window of its own kind as it is sent, and is answered on the page."""
    put_script_form(form, f"{popup}; show(await check(field.value) ? '#welcome' : '.error', true)")


def count_windows(stage: Stage) -> int:
    """Return how many pages the stage's browser has open beside those that wait for a task."""
    browsers: list[Browser] = [browser.browser for browser in stage.engine._pool.browsers]
    return sum(max(0, len(context.pages) - 1) for browser in browsers for context in browser.contexts)


@pytest.mark.parametrize("html", OPENERS.values(), ids=OPENERS.keys())
@pytest.mark.parametrize("fill", [Fill("#answer", "#send", "#welcome", ".error"), SUCCESS_ALONE, FAILURE_ALONE])
async def test_a_right_answer_in_a_window_is_right(html: str, fill: Fill, forms: FormStage) -> None:
    forms.form.show(html)
    result = await forms.complete(fill=fill, return_session=True)
    assert (result.verified, result.left_scope_to, len(forms.form.answers)) == (True, None, 1)
    assert result.session is not None
    assert ("login", "done") in {(cookie.name, cookie.value) for cookie in result.session.cookies}


@pytest.mark.parametrize("html", OPENERS.values(), ids=OPENERS.keys())
async def test_a_wrong_answer_in_a_window_is_followed_by_another(html: str, forms: FormStage, stage: Stage) -> None:
    forms.misread = 1
    forms.form.show(html)
    assert (await forms.complete()).verified is True
    assert len(forms.form.answers) == 2
    await until_true(lambda: not stage.engine.figures().open_pages)
    await until_true(lambda: not count_windows(stage))


async def test_a_wrong_answer_in_a_window_ends_a_task_without_retries(forms: FormStage) -> None:
    forms.misread = 1
    forms.form.show(OPENERS["a form's target"])
    settlement = await forms.settle(fill=SUCCESS_ALONE, retry_count=0)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.WRONG_ANSWER


async def test_a_rejection_in_a_window_ends_the_task(forms: FormStage) -> None:
    forms.form.show(OPENERS["a form's target"])
    forms.form.site.put_page("/check", "<p id=banned>Wrong password")
    settlement = await forms.settle(fill=Fill("#answer", "#send", success="#welcome", rejected="#banned"))
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.FORM_REJECTED


@pytest.mark.parametrize("condition", ["url:*/window?answer=*", "url:/window?answer=word1", "text:welcome BACK"])
async def test_every_kind_of_condition_is_held_against_the_window(condition: str, forms: FormStage) -> None:
    forms.form.show(OPENERS["window.open"])
    assert (await forms.complete(fill=Fill("#answer", "#send", success=condition))).verified is True


async def test_a_window_that_is_slow_to_come_is_waited_for(forms: FormStage) -> None:
    site, now = forms.form.site, forms.stage.clock.monotonic_seconds

    async def answer(_: web.Request) -> web.StreamResponse:
        # Longer than a page in which nothing moves is looked at.
        until_seconds = now() + UNMOVED_SECONDS + 1
        await until_true(lambda: now() > until_seconds)
        return web.Response(text=WELCOME, content_type="text/html")

    site.put("/check", answer)
    forms.form.show(OPENERS["a form's target"])
    assert (await forms.complete(fill=SUCCESS_ALONE)).verified is True
    assert site.hits["/check"] == 1


async def test_a_window_that_is_too_busy_for_the_answer_is_heeded(forms: FormStage) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="busy", status=429, headers={"Retry-After": "7"})

    forms.form.site.put("/check", answer)
    forms.form.show(OPENERS["a form's target"])
    settlement = await forms.settle(fill=SUCCESS_ALONE)
    assert settlement.error is not None
    assert settlement.error.code is TaskErrorCode.HTTP_ERROR


@pytest.mark.parametrize(
    ("fill", "verified"),
    [
        (SUCCESS_ALONE, None),
        (Fill("#answer", "#send", success="url:*/welcome?code=*"), True),
        (Fill("#answer", "#send", success="#welcome", failure="url:*/elsewhere"), None),
        (FAILURE_ALONE, True),
    ],
)
async def test_a_window_out_of_scope_is_stopped_and_named(
    fill: Fill, verified: bool | None, forms: FormStage, stage: Stage
) -> None:
    other = await stage.add_site(is_declared=False)
    forms.form.site.put_redirect("/check", other.url("/welcome?code=1"))
    forms.form.show(OPENERS["a form's target"])
    result = await forms.complete(fill=fill)
    assert (result.verified, result.left_scope_to) == (verified, other.url().rstrip("/"))
    assert not other.hits
    assert forms.form.site.hits["/check"] == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_advert_out_of_scope_beside_an_answer_does_not_decide_it(
    scheme: str, forms: FormStage, stage: Stage
) -> None:
    other = await stage.add_site(is_declared=False)
    address = other.url("/advert").replace("http", scheme, 1)
    with_popup(forms.form, f"open('{address}')")
    forms.misread = 1
    result = await forms.complete(url=forms.form.site.url())
    assert (result.verified, result.left_scope_to) == (True, None)
    assert len(forms.form.answers) == 2
    assert not other.hits


async def test_an_advert_in_scope_beside_an_answer_does_not_decide_it(forms: FormStage) -> None:
    forms.form.site.put_page("/advert", GREEN + "Buy!")
    with_popup(forms.form, "open('/advert')")
    forms.misread = 1
    result = await forms.complete()
    assert (result.verified, result.left_scope_to, len(forms.form.answers)) == (True, None, 2)


async def test_a_window_in_scope_is_followed_after_an_advert_out_of_scope(forms: FormStage, stage: Stage) -> None:
    other = await stage.add_site(is_declared=False)
    advert = f"<script>document.forms[0].addEventListener('submit', () => open('{other.url()}'))</script>"
    forms.form.show(OPENERS["a form's target"] + advert)
    assert (await forms.complete(fill=FAILURE_ALONE)).verified is True
    assert len(forms.form.answers) == 1
    assert not other.hits


async def test_of_many_windows_the_first_is_followed_and_none_stays(forms: FormStage, stage: Stage) -> None:
    forms.form.site.put_page("/advert", ERROR)
    html = OPENERS["window.open"].replace("return false", "for (let i = 0; i < 20; i++) open('/advert'); return false")
    forms.form.show(html)
    assert (await forms.complete(fill=SUCCESS_ALONE)).verified is True
    await until_true(lambda: not stage.engine.figures().open_pages)
    await until_true(lambda: not count_windows(stage))


@pytest.mark.parametrize(
    ("fill", "verified"), [(SUCCESS_ALONE, None), (FAILURE_ALONE, True), (Fill("#answer", "#send"), None)]
)
async def test_a_window_that_closes_itself_says_nothing(fill: Fill, verified: bool | None, forms: FormStage) -> None:
    forms.form.site.put_page("/check", "<script>close()</script>")
    forms.form.show(OPENERS["a form's target"])
    result = await forms.complete(fill=fill)
    assert (result.verified, result.left_scope_to) == (verified, None)


async def test_a_window_that_closes_itself_beside_a_right_answer_does_not_matter(forms: FormStage) -> None:
    forms.form.site.put_page("/advert", "<script>close()</script>")
    with_popup(forms.form, "open('/advert')")
    assert (await forms.complete()).verified is True


async def test_a_window_that_can_not_be_opened_says_nothing(forms: FormStage) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    forms.form.site.put("/check", hang_up)
    forms.form.show(OPENERS["a form's target"])
    for fill in (SUCCESS_ALONE, FAILURE_ALONE):
        assert (await forms.complete(fill=fill)).verified is None


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "slow"])
async def test_a_window_that_was_opened_before_the_answer_is_not_the_answers(is_slow: bool, forms: FormStage) -> None:
    site = forms.form.site

    async def advert(_: web.Request) -> web.StreamResponse:
        # Its answer begins only once the form was sent.
        if is_slow:
            await until_true(lambda: bool(forms.form.answers))
        return web.Response(text=ERROR, content_type="text/html")

    site.put("/advert", advert)
    forms.form.show(OPENERS["a form's target"] + "<script>open('/advert')</script>")
    assert (await forms.complete()).verified is True
    assert site.hits["/advert"] == 1


@pytest.mark.parametrize(("html", "is_green"), [("", True), ("an advert", False)], ids=["a window", "an advert"])
async def test_the_screenshot_shows_the_window_that_decided(html: str, is_green: bool, forms: FormStage) -> None:
    forms.form.site.put_page("/advert", GREEN)
    if html:
        with_popup(forms.form, "open('/advert')")
    else:
        forms.form.show(OPENERS["a form's target"])
    settlement = await forms.settle(evidence=True)
    assert settlement.evidence is not None
    assert settlement.evidence.picture
    assert settlement.evidence.screenshot is not None
    with Image.open(io.BytesIO(settlement.evidence.screenshot)) as screenshot:
        assert (screenshot.convert("RGB").getpixel((600, 600)) == (0, 128, 0)) is is_green


async def test_the_screenshot_of_a_failure_shows_the_window(forms: FormStage) -> None:
    forms.misread = 1
    forms.form.show(OPENERS["a form's target"])
    settlement = await forms.settle(evidence=True, retry_count=0)
    assert settlement.evidence is not None
    assert settlement.evidence.screenshot is not None
    with Image.open(io.BytesIO(settlement.evidence.screenshot)) as screenshot:
        assert screenshot.convert("RGB").getpixel((600, 600)) == (0, 128, 0)


async def test_what_a_window_says_in_a_dialog_counts(forms: FormStage) -> None:
    forms.form.site.put_page("/check", "<script>alert('Welcome back')</script>")
    forms.form.show(OPENERS["a form's target"])
    assert (await forms.complete(fill=Fill("#answer", "#send", success="text:welcome back"))).verified is True


async def test_what_an_answers_window_makes_counts_against_the_floods(forms: FormStage) -> None:
    breed = f"for (let i = 0; i < {FRAMES_FLOOD}; i++) document.body.append(document.createElement('iframe'))"
    forms.form.site.put_page("/check", f"<script>setTimeout(() => {{ {breed} }}, 500)</script>")
    forms.form.show(OPENERS["a form's target"])
    settlement = await forms.settle(fill=SUCCESS_ALONE)
    assert settlement.error is not None
    assert "frames" in settlement.error.message
