"""What an attempt ends with when the page is not what was hoped for."""

import asyncio

import pytest
from aiohttp import web

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPTCHA = '<img id="captcha" src="/picture">'


async def fail(stage: Stage, url: str) -> AttemptFailed:
    """Return the failure that capturing `url` ends with."""
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(url)
    return failed.value


async def test_a_page_without_a_captcha_is_not_found(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", '<h1>Welcome</h1><img src="/logo" class="logo">')
    site.put_picture("/logo", CAPTCHA_PNG)
    assert (await fail(stage, site.url())).task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND


async def test_a_behavioural_captcha_is_named_as_unsupported(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", '<form><div class="g-recaptcha" data-sitekey="x"></div></form>')
    failure = await fail(stage, site.url())
    assert failure.task_error_code is TaskErrorCode.UNSUPPORTED_CAPTCHA
    assert not failure.is_retryable
    assert "reCAPTCHA" in failure.message


@pytest.mark.parametrize("status", [404, 403, 502])
async def test_an_error_page_without_a_captcha_is_an_http_error(status: int, site: LocalSite, stage: Stage) -> None:
    site.put_page("/", "<h1>Sorry</h1>", status=status)
    failure = await fail(stage, site.url())
    assert failure.task_error_code is TaskErrorCode.HTTP_ERROR
    assert str(status) in failure.message


async def test_an_error_page_with_a_captcha_is_read(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", CAPTCHA, status=403)
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_a_site_that_is_down_fails_the_navigation(site: LocalSite, stage: Stage) -> None:
    await site.stop()
    failure = await fail(stage, site.url())
    assert failure.task_error_code is TaskErrorCode.NAVIGATION_FAILED
    assert failure.message.startswith(f"can't connect to {site.url().rstrip('/')} (")
    assert failure.is_retryable
    secure = site.url().replace("http:", "https:")
    assert (await fail(stage, secure)).message.startswith(f"can't connect to {secure.rstrip('/')} (")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "about:blank",
        "data:text/html,<img id=captcha>",
        "chrome://version/",
        "view-source:http://127.0.0.1/",
        "ftp://127.0.0.1/",
        "http://example.com/",
    ],
)
async def test_an_address_out_of_scope_is_refused_without_a_browser(url: str, stage: Stage) -> None:
    served_before = stage.engine.figures().pages_served
    failure = await fail(stage, url)
    assert failure.task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert not failure.is_retryable
    assert stage.engine.figures().pages_served == served_before


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "about:blank", "foo:bar", "chrome://version"],
)
async def test_a_redirect_to_another_scheme_is_refused(location: str, site: LocalSite, stage: Stage) -> None:
    site.put_redirect("/", location)
    assert (await fail(stage, site.url())).task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_redirect_to_an_undeclared_port_is_refused(scheme: str, site: LocalSite, stage: Stage) -> None:
    other = await stage.add_site(is_declared=False)
    site.put_redirect("/", f"{scheme}://127.0.0.1:{other.port}/")
    failure = await fail(stage, site.url())
    assert failure.task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert str(other.port) in failure.message
    assert not other.hits


async def test_a_page_that_leaves_for_an_undeclared_port_is_refused(site: LocalSite, stage: Stage) -> None:
    other = await stage.add_site(is_declared=False)
    site.put_page("/", f"<script>location = 'http://127.0.0.1:{other.port}/'</script>")
    assert (await fail(stage, site.url())).task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED
    assert not other.hits


async def test_the_cause_of_a_refusal_can_not_be_forged_by_a_site(site: LocalSite, stage: Stage) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=CAPTCHA, content_type="text/html", headers={"X-Captchad-Egress": "private_address"})

    site.put("/", answer)
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG


async def test_removing_a_target_ends_its_visits_at_once(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", CAPTCHA)
    site.put_picture("/picture", CAPTCHA_PNG)
    await stage.capture(site.url())
    stage.policy.replace_targets(())
    assert (await fail(stage, site.url())).task_error_code is TaskErrorCode.TARGET_NOT_ALLOWED


NUISANCES = {
    "dialogs": "<script>alert('x'); confirm('y'); prompt('z'); onbeforeunload = () => 'stay'</script>",
    "popups": "<script>for (let i = 0; i < 3; i++) open('/popup')</script>",
    "a download": "<iframe src='/download'></iframe><a id=a href='/download' download></a><script>a.click()</script>",
    "a service worker": "<script>navigator.serviceWorker?.register('/worker.js')</script>",
    "frames of other schemes": "<iframe src='file:///etc/passwd'></iframe><iframe src='javascript:1'></iframe>"
    "<iframe src='chrome://version'></iframe><iframe src='foo:bar'></iframe>",
    "a page that never stops loading": "<img src='/silence'>",
}


@pytest.mark.parametrize("html", NUISANCES.values(), ids=NUISANCES.keys())
async def test_is_not_disturbed_by(html: str, site: LocalSite, stage: Stage) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 100, headers={"Content-Disposition": "attachment; filename=x.bin"})

    site.put("/download", answer)
    site.put_silence("/silence")
    site.put_page("/popup", "<script>alert(1)</script>")
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_page("/", CAPTCHA + html)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
    assert site.hits["/worker.js"] == 0


async def test_says_honestly_who_it_is(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", CAPTCHA)
    site.put_picture("/picture", CAPTCHA_PNG)
    await stage.capture(site.url())
    agent = site.headers["/"]["User-Agent"]
    assert "HeadlessChrome/" in agent
    assert " captchad/" in agent
    assert "Proxy-Authorization" not in site.headers["/"]


async def test_tasks_share_no_cookies(site: LocalSite, stage: Stage) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Cookie"))
        return web.Response(text=CAPTCHA, content_type="text/html", headers={"Set-Cookie": "visited=1"})

    seen: list[str | None] = []
    site.put("/", answer)
    site.put_picture("/picture", CAPTCHA_PNG)
    await stage.capture(site.url())
    await stage.capture(site.url())
    assert seen == [None, None]


async def test_eight_pages_at_once(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", CAPTCHA)
    site.put_picture("/picture", CAPTCHA_PNG)
    captured = await asyncio.gather(*(stage.capture(site.url()) for _ in range(8)))
    assert {capture.picture for capture in captured} == {CAPTCHA_PNG}
    assert site.hits["/picture"] == 8
