"""What a task brings into the browser goes to its target alone, and what the page leaves can be brought back."""

import json

import pytest
import pytest_asyncio
from aiohttp import web

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Cookie, Fill, PageOrder, SessionState
from captchad.domain.task import TaskResult
from tests.integration.browser.form_stage import FormSite, FormStage
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPTCHA = '<img id="captcha" src="/picture">'
HEADERS = {"X-Tenant": "blue", "Authorization": "Bearer secret"}


@pytest_asyncio.fixture(loop_scope="module")
async def forms(stage: Stage, site: LocalSite) -> FormStage:
    forms = FormStage(stage, FormSite(site))
    forms.form.show(CAPTCHA)
    return forms


async def open_with(forms: FormStage, session: SessionState, path: str = "/", **request: object) -> TaskResult:
    return await forms.complete(url=forms.form.site.url(path), session=session, fill=None, **request)


async def test_cookies_are_there_before_the_page_opens(forms: FormStage) -> None:
    cookies = (
        Cookie("plain", "1"),
        Cookie("hidden", "2", http_only=True, same_site="Strict", expires=4_000_000_000),
        Cookie("elsewhere", "3", path="/other"),
        Cookie("named", "4", domain="127.0.0.1"),
    )
    await open_with(forms, SessionState(cookies))
    assert forms.form.site.headers["/"]["Cookie"] == "plain=1; hidden=2; named=4"
    assert forms.form.site.headers["/picture"]["Cookie"].startswith("plain=1; hidden=2; named=4")


@pytest.mark.parametrize("domain", ["127.0.0.2", "localhost", "0.0.1", "example.com"])
async def test_a_cookie_for_another_host_is_refused(forms: FormStage, domain: str) -> None:
    order = PageOrder(forms.form.site.url(), "127.0.0.1", session=SessionState((Cookie("a", "1", domain=domain),)))
    with pytest.raises(AttemptFailed) as failed:
        await forms.stage.read_page(order)
    assert failed.value.task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert not forms.form.site.hits


async def test_headers_go_to_every_request_of_the_targets_origin(forms: FormStage) -> None:
    forms.form.show(
        CAPTCHA + "<script>fetch('/data', {method: 'POST', body: 'x'})</script><iframe src=/frame></iframe>"
    )
    await open_with(forms, SessionState(headers=HEADERS))
    for path in ("/", "/picture", "/data", "/frame"):
        assert forms.form.site.headers[path]["X-Tenant"] == "blue"
        assert forms.form.site.headers[path]["Authorization"] == "Bearer secret"
    assert " captchad/" in forms.form.site.headers["/"]["User-Agent"]


async def test_headers_go_to_no_other_origin_and_not_along_with_redirects(forms: FormStage, stage: Stage) -> None:
    site, other = forms.form.site, await stage.add_site()
    other.put_picture("/pixel", CAPTCHA_PNG, **{"Access-Control-Allow-Origin": "*"})
    other.put_picture("/moved", CAPTCHA_PNG)
    other.put_page("/frame", "")
    other.put_page("/moved-frame", "<img src=/inner>")
    site.put_redirect("/away", other.url("/moved"))
    site.put_redirect("/frame-away", other.url("/moved-frame"))
    forms.form.show(
        f"{CAPTCHA}<img src='{other.url('/pixel')}'><img src=/away><iframe src='{other.url('/frame')}'></iframe>"
        f"<iframe src=/frame-away></iframe><script>fetch('{other.url('/pixel')}?2')</script>"
    )
    await open_with(forms, SessionState(headers=HEADERS))
    assert site.headers["/away"]["X-Tenant"] == "blue"
    assert {"/pixel", "/moved", "/frame", "/moved-frame", "/inner"} <= set(other.headers)
    for headers in other.headers.values():
        assert not {name.lower() for name in headers} & {"x-tenant", "authorization"}


async def test_a_page_that_redirects_elsewhere_takes_no_headers_along(forms: FormStage, stage: Stage) -> None:
    other = await stage.add_site()
    other.put_page("/", CAPTCHA)
    other.put_picture("/picture", CAPTCHA_PNG)
    forms.form.site.put_redirect("/away", other.url())
    await open_with(forms, SessionState(headers=HEADERS, local_storage={"token": "1"}), "/away")
    assert forms.form.site.headers["/away"]["X-Tenant"] == "blue"
    for headers in other.headers.values():
        assert "X-Tenant" not in headers


async def test_local_storage_is_there_before_any_script_and_only_at_the_target(forms: FormStage, stage: Stage) -> None:
    site, other = forms.form.site, await stage.add_site()
    seen: list[list[str | None]] = []

    async def note(request: web.Request) -> web.StreamResponse:
        seen.append(json.loads(await request.text()))
        return web.Response()

    report = (
        "<script>const ask = new XMLHttpRequest(); ask.open('POST', '/seen', false);"
        "ask.send(JSON.stringify(['token', 'length', '__proto__'].map((name) => localStorage.getItem(name))))</script>"
    )
    other.put_page("/frame", report)
    for place in (site, other):
        place.put("/seen", note)
    forms.form.show(f"{report}{CAPTCHA}<iframe src='{other.url('/frame')}'></iframe>")
    stored = {"token": 'a"b\\c</script>\u2028', "length": "7", "__proto__": "x"}
    result = await open_with(forms, SessionState(local_storage=stored), return_session=True)
    assert seen in ([[*stored.values()], [None] * 3], [[None] * 3, [*stored.values()]])
    assert result.session is not None
    assert result.session.local_storage == stored


async def test_the_page_may_change_what_was_put_in(forms: FormStage) -> None:
    forms.form.show(
        f"{CAPTCHA}<script>if (localStorage.token) {{ localStorage.clear(); localStorage.left = 1; "
        "if (!location.hash) { location.hash = 'x'; } }</script>"
    )
    result = await open_with(forms, SessionState(local_storage={"token": "1"}), return_session=True)
    assert result.session is not None
    assert result.session.local_storage == {"left": "1"}


async def test_the_session_comes_back_and_can_be_brought_again(forms: FormStage) -> None:
    async def sign_in(_: web.Request) -> web.StreamResponse:
        response = web.Response(text=f"{CAPTCHA}<script>localStorage.seen = 'yes'</script>", content_type="text/html")
        response.set_cookie("id", "42", httponly=True, path="/account", max_age=1000)
        response.set_cookie("lax", "1", samesite="Lax")
        return response

    forms.form.site.put("/in", sign_in)
    session = (await open_with(forms, SessionState(), "/in", return_session=True)).session
    assert session is not None
    by_name = {cookie.name: cookie for cookie in session.cookies}
    assert by_name["id"].path == "/account"
    assert by_name["id"].http_only
    assert by_name["id"].domain is None
    assert by_name["id"].expires is not None
    assert by_name["lax"].expires is None
    assert session.local_storage == {"seen": "yes"}
    assert session.headers == {}
    forms.form.site.put_page("/account/", CAPTCHA)
    await open_with(forms, session, "/account/")
    assert "id=42" in forms.form.site.headers["/account/"]["Cookie"]


async def test_a_session_is_left_out_unless_asked_for(forms: FormStage) -> None:
    assert (await open_with(forms, SessionState((Cookie("a", "1"),)))).session is None


async def test_storage_is_read_after_the_page_has_left_for_another_origin(forms: FormStage, stage: Stage) -> None:
    other = await stage.add_site()
    other.put_page("/", "<p id=welcome>Welcome</p>")
    forms.form.site.put_redirect("/check", other.url())
    forms.form.show(
        f"<script>localStorage.seen = 'yes'</script><form method=post action=/check>{CAPTCHA}<input id=answer></form>"
    )
    result = await forms.complete(return_session=True, fill=Fill("#answer", success="#welcome"))
    assert result.session is not None
    assert result.session.local_storage == {"seen": "yes"}
