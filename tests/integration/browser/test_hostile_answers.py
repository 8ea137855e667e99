"""What a page answers when it is asked has no more size than it should, and its functions no say in it."""

import gzip
import io

import numpy as np
import pytest
from aiohttp import web
from PIL import Image
from playwright.async_api import Frame, Page

from captchad.browser.finding.frame_scans import FrameScans, Sought
from captchad.browser.finding.frame_views import FrameView
from captchad.browser.scripts.bounds import STATE_LENGTH, URL_LENGTH, WORDS_LENGTH
from captchad.domain.capture import CaptchaCapture
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import Fill, PageOrder
from captchad.domain.picture import PICTURE_LIMIT_BYTES
from captchad.domain.plain_text import MESSAGE_LIMIT_BYTES
from captchad.recognition.decoding import decode_picture
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage, find_main_frame

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPTCHA = '<img id="captcha" src="/picture">'
FORM = f'<form onsubmit="document.body.append(\'welcome back\'); return false">{CAPTCHA}<input name="captcha">'
FILL = Fill("input", "button", success="text:welcome back")
MEBIBYTE = 1 << 20

LONG_TEXTS = (
    "const slice = String.prototype.slice; String.prototype.slice = function (a, b) { return b === 300 ? TEXT : "
)
LIES = {
    "long texts": LONG_TEXTS.replace("TEXT", "Math.random() + 'k'.repeat(100000)") + "slice.call(this, a, b) }",
    "texts that unfold": LONG_TEXTS.replace("TEXT", "'\\uFDFA'.repeat(60000)") + "slice.call(this, a, b) }",
    "a false eval": "const real = eval; window.eval = () => () => 'x'.repeat(5e7)",
    "a false JSON": "JSON.stringify = () => 'x'.repeat(5e7)",
    "false elements": "Document.prototype.createElement = () => ({ textContent: 'x'.repeat(5e7) })",
    "a false vendor": "const find = Array.prototype.find; Array.prototype.find = function (...a) { "
    "const r = find.apply(this, a); return Array.isArray(r) ? ['\\u001b]0;owned\\u0007', r[1]] : r }",
    "false lists": "const map = Array.prototype.map; Array.prototype.map = function (...a) { "
    "return this.some((x) => x instanceof HTMLFormElement) ? 5 : map.apply(this, a) }",
    "a false time": "Object.defineProperty(performance, 'timeOrigin', { get: () => ({ evil: [1] }) })",
}


async def capture_failure(stage: Stage, site: LocalSite, selector: str | None = None) -> AttemptFailed:
    """Return why no captcha was captured."""
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url(), selector)
    return failed.value


async def permit() -> None:
    """The answer may be sent."""


async def read_lied_about(stage: Stage, site: LocalSite, script: str) -> tuple[CaptchaCapture, bool | None]:
    """Capture and answer a captcha on a page that first runs a script."""
    site.put_page("/", f"<script>{script}</script>{FORM}<button>go</button></form>")
    site.put_picture("/picture", CAPTCHA_PNG)
    async with stage.open_page(PageOrder(site.url(), "127.0.0.1", fill=FILL)) as session:
        captured = await session.capture()
        return captured, await session.submit("k7xw2", permit)


@pytest.mark.parametrize("script", LIES.values(), ids=LIES.keys())
async def test_a_page_is_read_and_answered_whatever_it_has_put_in_place_of_functions(
    script: str, site: LocalSite, stage: Stage
) -> None:
    captured, verified = await read_lied_about(stage, site, script)
    assert captured.picture == CAPTCHA_PNG
    assert len(captured.choice) < 1000
    assert verified is True


@pytest.mark.parametrize("script", ["", LIES["long texts"]], ids=["honest", "lying"])
async def test_all_texts_of_a_scan_are_bounded(script: str, site: LocalSite, stage: Stage) -> None:
    huge = "k" * 100_000
    site.put_page(
        "/",
        f"<script>{script}</script><form id={huge} class={huge}><label>{huge}<input name={huge}></label>"
        f"<img width=150 height=50 id={huge} src=/picture?{huge[:7000]}><p>{huge}</p></form>"
        f"<iframe id={huge} src='/?{huge[:7000]}'></iframe>",
    )

    async def scan(page: Page) -> None:
        await page.wait_for_load_state()
        scans, views = FrameScans(page, await find_main_frame(page), Sought(), stage.clock), dict[Frame, FrameView]()
        # A frame may be too slow once.
        while len(views) < 2:
            views = await scans.scan()
        view = views[page.main_frame]
        assert view.candidates
        assert view.frames
        for candidate in view.candidates:
            assert max(len(candidate.own), len(candidate.around)) <= WORDS_LENGTH
            assert len(candidate.source) <= URL_LENGTH
        for frame in view.frames:
            assert max(len(frame.own), len(frame.around)) <= WORDS_LENGTH
            assert len(frame.url) <= URL_LENGTH
        assert len(view.state) <= STATE_LENGTH

    async with stage.open_page(PageOrder(site.url(), "127.0.0.1")) as session:
        await scan(session.page)


async def test_a_packed_picture_is_not_unpacked_into_the_worker(site: LocalSite, stage: Stage) -> None:
    packed = gzip.compress(CAPTCHA_PNG + bytes(50 * MEBIBYTE))
    site.put_page("/", CAPTCHA)
    site.put_picture("/picture", packed, **{"Content-Encoding": "gzip"})
    captured = await stage.capture(site.url())
    assert len(captured.picture) < PICTURE_LIMIT_BYTES
    assert np.array_equal(decode_picture(captured.picture), decode_picture(CAPTCHA_PNG))


async def test_a_picture_whose_size_nobody_states_is_refused_by_what_was_received(
    site: LocalSite, stage: Stage
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(CAPTCHA_PNG + bytes(3 * MEBIBYTE))
        return response

    site.put_page("/", CAPTCHA)
    site.put("/picture", answer)
    assert (await capture_failure(stage, site)).task_error_code is TaskErrorCode.CAPTCHA_UNREADABLE


TOO_LARGE = {
    "a blob": "<img id=captcha><script>fetch('/picture').then((r) => r.blob()).then((b) => { "
    "captcha.src = URL.createObjectURL(new Blob([b, new Uint8Array(3 << 20)], { type: 'image/png' })) })</script>",
    "a data address": "<img id=captcha><script>fetch('/picture').then((r) => r.blob()).then((b) => { "
    "const f = new FileReader(); f.onload = () => { captcha.src = f.result }; "
    "f.readAsDataURL(new Blob([b, new Uint8Array(4 << 20)], { type: 'image/png' })) })</script>",
    "a canvas full of noise": "<canvas id=captcha width=1900 height=1900 style='width: 150px; height: 50px'></canvas>"
    "<script>const c = captcha.getContext('2d'), d = c.createImageData(1900, 1900); "
    "for (let i = 0; i < d.data.length; i++) d.data[i] = Math.random() * 256; c.putImageData(d, 0, 0)</script>",
    "a huge canvas": "<canvas id=captcha width=3000 height=2000></canvas><script>const c = captcha.getContext('2d'); "
    "c.fillRect(9, 9, 900, 900)</script>",
    "a huge drawing": "<svg id=captcha width=3000 height=2000><text x=9 y=99>k7xw2</text></svg>",
}


@pytest.mark.parametrize("html", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_too_large_a_picture_is_refused_before_it_is_carried(html: str, site: LocalSite, stage: Stage) -> None:
    site.put_page("/", f"{html}<input name=captcha>")
    site.put_picture("/picture", CAPTCHA_PNG)
    failed = await capture_failure(stage, site, "#captcha")
    assert failed.task_error_code is TaskErrorCode.CAPTCHA_UNREADABLE


async def test_a_canvas_within_the_limits_is_still_read(site: LocalSite, stage: Stage) -> None:
    site.put_page(
        "/",
        "<canvas id=captcha width=300 height=100></canvas><input name=captcha><script>"
        "const c = captcha.getContext('2d'); c.font = '40px sans-serif'; c.fillText('k7xw2', 20, 60)</script>",
    )
    captured = await stage.capture(site.url())
    assert Image.open(io.BytesIO(captured.picture)).size == (300, 100)


@pytest.mark.parametrize(
    "script",
    ["localStorage.setItem('a', 'x'.repeat(1.1 * 1024 * 1024))", "for (let i = 0; i < 1001; i++) localStorage[i] = 1"],
)
async def test_more_storage_than_a_session_may_have_ends_with_a_code_of_its_own(
    script: str, site: LocalSite, stage: Stage
) -> None:
    site.put_page("/", f"{CAPTCHA}<script>{script}</script>")
    site.put_picture("/picture", CAPTCHA_PNG)
    async with stage.open_page(PageOrder(site.url(), "127.0.0.1", wants_session=True)) as session:
        await session.capture()
        with pytest.raises(AttemptFailed) as failed:
            await session.read_session()
    assert failed.value.task_error_code is TaskErrorCode.SESSION_TOO_LARGE
    assert not failed.value.is_retryable


async def test_a_page_cannot_make_its_storage_look_larger_than_it_is(site: LocalSite, stage: Stage) -> None:
    site.put_page(
        "/",
        f"{CAPTCHA}<script>localStorage.a = 'b'; const from = Array.from; Array.from = (...a) => a.length === 2 "
        "? from({ length: 200 }, (_, i) => ['k' + i, 'v'.repeat(250000)]) : from(...a)</script>",
    )
    site.put_picture("/picture", CAPTCHA_PNG)
    async with stage.open_page(PageOrder(site.url(), "127.0.0.1", wants_session=True)) as session:
        await session.capture()
        assert (await session.read_session()).local_storage == {"a": "b"}


async def test_the_message_about_an_error_page_has_a_bounded_part_of_its_address(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", "<p>nothing<script>history.pushState(0, '', '/?' + 'x'.repeat(2e6))</script>", status=404)
    failed = await capture_failure(stage, site)
    assert failed.task_error_code is TaskErrorCode.HTTP_ERROR
    assert len(failed.message.encode()) <= MESSAGE_LIMIT_BYTES


async def test_a_click_handler_that_a_script_has_set_makes_a_picture_clickable(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", f"{CAPTCHA}<input name=captcha><script>captcha.onclick = () => 0</script>")
    site.put_page("/plain", f"{CAPTCHA}<input name=captcha>")
    site.put_picture("/picture", CAPTCHA_PNG)
    for path, expected in (("/", True), ("/plain", False)):
        async with stage.open_page(PageOrder(site.url(path), "127.0.0.1")) as session:
            await session.capture()
            assert await session.can_refresh() is expected
