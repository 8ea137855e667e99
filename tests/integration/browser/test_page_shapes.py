"""Every usual way a page shows its captcha, with the picture's own bytes coming back."""

import base64
import io

import pytest
from aiohttp import web
from PIL import Image, ImageChops

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser.stage import CAPTCHA_PNG, DECOY_PNG, SQUARE_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA_URL = "data:image/png;base64," + base64.b64encode(CAPTCHA_PNG).decode()
INPUT = '<input name="code" placeholder="captcha">'


def shows_same(picture: bytes) -> bool:
    """Whether a picture has the very pixels of the captcha."""
    expected, given = (Image.open(io.BytesIO(body)).convert("RGB") for body in (CAPTCHA_PNG, picture))
    return expected.size == given.size and ImageChops.difference(expected, given).getbbox() is None


async def test_takes_an_image_exactly_as_the_page_received_it_and_fetches_it_once(
    site: LocalSite, stage: Stage
) -> None:
    site.put_page("/", f'<form><img src="/captcha.php?r=1">{INPUT}</form>')
    site.put_picture("/captcha.php", CAPTCHA_PNG, **{"Cache-Control": "no-store"})
    captured = await stage.capture(site.url())
    assert captured.picture == CAPTCHA_PNG
    assert site.hits["/captcha.php"] == 1
    assert captured.page_url == site.url()
    assert set(captured.timings_ms) == {"open", "locate", "capture"}
    assert "named a captcha" in captured.choice
    assert "\n" not in captured.choice


SHAPES = {
    "data URI": f'<img src="{DATA_URL}" id="captcha">',
    "unnamed image beside an input for the code": f'<p>Code: <img src="/picture">{INPUT}</p>',
    "image button": '<input type="image" src="/picture" class="captcha-image">',
    "blob": '<img id="captcha"><script>fetch("/picture").then(r => r.blob()).then(b => '
    "{captcha.src = URL.createObjectURL(b)})</script>",
    "blob that is revoked": '<img id="captcha"><script>fetch("/picture").then(r => r.blob()).then(b => '
    "{const u = URL.createObjectURL(b); captcha.onload = () => URL.revokeObjectURL(u); captcha.src = u})</script>",
    "canvas": '<canvas id="captcha" width="160" height="60"></canvas><script>const i = new Image(); '
    'i.onload = () => captcha.getContext("2d").drawImage(i, 0, 0); i.src = "/picture"</script>',
    "late by script": '<div id="here"></div><script>setTimeout(() => {here.innerHTML = '
    "'<img class=captcha src=/picture>'}, 700)</script>",
    "preloaded by script": '<script>const i = new Image(); i.src = "/picture"; i.id = "captcha"; '
    "i.onload = () => document.body.append(i)</script>",
    "same-origin frame": '<iframe src="/frame"></iframe>',
    "shadow root": '<div id="host"></div><script>host.attachShadow({mode: "open"}).innerHTML = '
    "'<img id=captcha src=/picture>'</script>",
    "redirected picture": '<img id="captcha" src="/moved">',
    "CSS background": '<div class="captcha" style="width: 160px; height: 60px; background: url(/picture)"></div>',
    "lazy picture below the fold": '<div style="height: 4000px"></div><img id="captcha" loading="lazy" src="/picture" '
    'width="160" height="60">',
}


@pytest.mark.parametrize("html", SHAPES.values(), ids=SHAPES.keys())
async def test_finds_the_captcha_by_itself(html: str, site: LocalSite, stage: Stage) -> None:
    site.put_page("/", html)
    site.put_page("/frame", '<img id="captcha" src="/picture">')
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_redirect("/moved", "/picture")
    captured = await stage.capture(site.url())
    assert shows_same(captured.picture), captured.choice
    assert site.hits["/picture"] <= 1


async def test_finds_a_captcha_in_a_frame_of_another_declared_site(site: LocalSite, stage: Stage) -> None:
    other = await stage.add_site()
    site.put_page("/", f'<iframe src="http://127.0.0.1:{other.port}/frame"></iframe>')
    other.put_page("/frame", '<img id="captcha" src="/picture">')
    other.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
    assert other.hits["/picture"] == 1


PHOTOGRAPHED = {
    "inline SVG": '<svg id="captcha" width="160" height="60"><text x="20" y="30">k7xw2</text></svg>',
    "SVG file": '<img id="captcha" src="/picture.svg">',
    "canvas with another origin's picture": '<canvas id="captcha" width="160" height="60"></canvas><script>'
    'const i = new Image(); i.onload = () => captcha.getContext("2d").drawImage(i, 0, 0); '
    'i.src = "OTHER/picture"</script>',
}


@pytest.mark.parametrize("html", PHOTOGRAPHED.values(), ids=PHOTOGRAPHED.keys())
async def test_photographs_what_has_no_pixels_of_its_own_to_give(html: str, site: LocalSite, stage: Stage) -> None:
    other = await stage.add_site()
    other.put_picture("/picture", CAPTCHA_PNG)
    site.put_page("/", html.replace("OTHER", f"http://127.0.0.1:{other.port}"))
    vector = '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60"><text y="30">k7xw2</text></svg>'
    site.put_picture("/picture.svg", vector.encode(), "image/svg+xml")
    captured = await stage.capture(site.url())
    assert Image.open(io.BytesIO(captured.picture)).size == (160, 60)
    assert "photographed" in captured.choice


DECOYS = """
<header><img src="/decoy?logo" class="logo" alt="Example logo"><input name="q" placeholder="Search"></header>
<img src="/decoy?avatar" class="avatar"><a href="https://ads.example/"><img src="/decoy?ad" id="ad-banner"></a>
<form><input name="user"><input type="password" name="password">%s<input name="answer"></form>
<img src="/square" class="qrcode" alt="Scan this code"><canvas width="150" height="50" id="sparkline"></canvas>
<footer><img src="/decoy?badge" alt="Verified secure site"></footer>
"""


@pytest.mark.parametrize(
    "html",
    [
        '<img src="/picture" alt="captcha">',
        '<img src="/picture" id="verifyImg">',
        '<img src="/picture" title="验证码">',
        '<label>Verification code</label><img src="/picture" onclick="void 0">',
        '<img src="/picture">',
    ],
)
async def test_is_not_taken_in_by_decoys_beside_it(html: str, site: LocalSite, stage: Stage) -> None:
    site.put_page("/", DECOYS % html)
    site.put_picture("/decoy", DECOY_PNG)
    site.put_picture("/square", SQUARE_PNG)
    site.put_picture("/picture", CAPTCHA_PNG)
    captured = await stage.capture(site.url())
    assert captured.picture == CAPTCHA_PNG, captured.choice


async def test_the_newest_of_several_pictures_under_one_address_is_taken(site: LocalSite, stage: Stage) -> None:
    drawn = [DECOY_PNG, CAPTCHA_PNG]
    frames = [
        '<img src="/picture" style="display: none" onload="location.reload()">',
        '<img src="/picture" id="captcha">',
    ]

    async def answer_picture(_: web.Request) -> web.StreamResponse:
        return web.Response(body=drawn.pop(0), content_type="image/png", headers={"Cache-Control": "no-store"})

    async def answer_frame(_: web.Request) -> web.StreamResponse:
        return web.Response(text=frames.pop(0), content_type="text/html", headers={"Cache-Control": "no-store"})

    site.put("/picture", answer_picture)
    site.put("/frame", answer_frame)
    site.put_page("/", '<iframe src="/frame"></iframe>')
    assert (await stage.capture(site.url())).picture == CAPTCHA_PNG
    assert site.hits["/picture"] == 2


async def test_a_selector_names_the_picture_in_any_frame(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", '<img id="captcha" src="/decoy"><iframe src="/frame"></iframe>')
    site.put_page("/frame", '<div id="mine"><img src="/picture"></div>')
    site.put_picture("/decoy", DECOY_PNG)
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url(), "#mine img")).picture == CAPTCHA_PNG
    assert (await stage.capture(site.url(), "#mine")).picture == CAPTCHA_PNG


async def test_a_selector_is_waited_for(site: LocalSite, stage: Stage) -> None:
    site.put_page(
        "/", "<script>setTimeout(() => {document.body.innerHTML = '<img class=x src=/picture>'}, 900)</script>"
    )
    site.put_picture("/picture", CAPTCHA_PNG)
    assert (await stage.capture(site.url(), ".x")).picture == CAPTCHA_PNG


@pytest.mark.parametrize("selector", ["#absent", "text=Login", "div >> img", "###"])
async def test_a_selector_that_matches_nothing_is_not_found(selector: str, site: LocalSite, stage: Stage) -> None:
    site.put_page("/", '<div>Login <img id="captcha" src="/picture"></div>')
    site.put_picture("/picture", CAPTCHA_PNG)
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url(), selector, timeout_seconds=1.5)
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND
