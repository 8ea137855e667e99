"""Every usual way a page shows its captcha, with the picture's own bytes coming back."""

import asyncio
import base64
import io
from collections.abc import Mapping

import pytest
from aiohttp import web
from PIL import Image, ImageChops

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from tests.integration.browser import page_shapes
from tests.integration.browser.many_pages import do_all, visit, visit_all
from tests.integration.browser.stage import CAPTCHA_PNG, DECOY_PNG, SQUARE_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOOK_SECONDS = 12.0
"""Four pages load in half a second on a quiet machine, and all of it is spent."""

DATA_URL = "data:image/png;base64," + base64.b64encode(CAPTCHA_PNG).decode()
VECTOR = f'<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60"><image href="{DATA_URL}"/></svg>'
APPLICATION = "setTimeout(() => {root.innerHTML = '<img id=captcha src=/picture>'}, 2500)"


def shows_same(picture: bytes) -> bool:
    """Whether a picture has the very pixels of the captcha."""
    expected, given = (Image.open(io.BytesIO(body)).convert("RGB") for body in (CAPTCHA_PNG, picture))
    return expected.size == given.size and ImageChops.difference(expected, given).getbbox() is None


def furnish(site: LocalSite, other: LocalSite) -> None:
    """Put on a site what the shapes refer to."""
    for place in (site, other):
        place.put_picture("/picture", CAPTCHA_PNG)
        place.put_page("/frame", page_shapes.NAMED)
        place.put_page("/bare", '<img src="/picture">')
    site.put_picture("/decoy", DECOY_PNG)
    site.put_picture("/loading.gif", DECOY_PNG)
    site.put_picture("/square", SQUARE_PNG)
    site.put_picture("/picture.svg", VECTOR.encode(), "image/svg+xml")
    site.put_picture("/app.js", APPLICATION.encode(), "text/javascript")
    site.put_redirect("/moved", "/picture")
    site.put_page("/outer", '<iframe src="/frame"></iframe>')
    site.put_page("/outer-other", f'<iframe src="http://127.0.0.1:{other.port}/frame"></iframe>')
    site.put_page("/revealing", page_shapes.BEHIND_A_CLICK["button"])


async def put_shape(site: LocalSite, stage: Stage, html: str) -> None:
    """Make a shape the site's page."""
    other = await stage.add_site()
    furnish(site, other)
    site.put_page("/", html.replace("DATA", DATA_URL).replace("OTHER", f"http://127.0.0.1:{other.port}"))


async def read_shapes(stage: Stage, shapes: Mapping[str, str], *, is_photographed: bool) -> dict[str, str]:
    """Read pages with a captcha, each on a site of its own, and give what is wrong with those that were read wrong."""

    async def read_shape(html: str) -> str:
        site = await stage.add_site()
        await put_shape(site, stage, html)
        outcome = await visit(site, stage)
        if isinstance(outcome, AttemptFailed):
            return str(outcome)
        is_right = shows_same(outcome.picture) and ("photographed" in outcome.choice) == is_photographed
        is_asked_once = site.hits["/picture"] <= 1
        return "" if is_right and is_asked_once else f"{site.hits['/picture']} pictures, {outcome.choice}"

    problems = await do_all(read_shape, shapes)
    return {name: problem for name, problem in problems.items() if problem}


async def test_takes_an_image_exactly_as_the_page_received_it_and_fetches_it_once(
    site: LocalSite, stage: Stage
) -> None:
    site.put_page("/", f'<form><img src="/captcha.php?r=1">{page_shapes.INPUT}</form>')
    site.put_picture("/captcha.php", CAPTCHA_PNG, **{"Cache-Control": "no-store"})
    captured = await stage.capture(site.url())
    assert captured.picture == CAPTCHA_PNG
    assert site.hits["/captcha.php"] == 1
    assert set(captured.timings_ms) == {"open", "locate", "capture"}
    assert "named a captcha" in captured.choice
    assert "\n" not in captured.choice


GROUPS = {
    "elements": page_shapes.ELEMENTS,
    "places": page_shapes.PLACES,
    "late": page_shapes.LATE,
    "behind a click": page_shapes.BEHIND_A_CLICK,
}


@pytest.mark.parametrize("shapes", GROUPS.values(), ids=GROUPS.keys())
async def test_finds_the_captcha_by_itself(shapes: dict[str, str], stage: Stage) -> None:
    assert await read_shapes(stage, shapes, is_photographed=False) == {}


async def test_photographs_what_has_no_pixels_of_its_own_to_give(stage: Stage) -> None:
    assert await read_shapes(stage, page_shapes.PHOTOGRAPHED, is_photographed=True) == {}


async def test_reads_labels_in_many_languages(stage: Stage) -> None:
    pages = {label: page_shapes.label_field(label) for label in page_shapes.LABELS}
    assert await read_shapes(stage, pages, is_photographed=False) == {}


async def test_a_control_that_shows_the_captcha_is_clicked_once(site: LocalSite, stage: Stage) -> None:
    await put_shape(site, stage, "<button onclick=\"fetch('/clicked')\">Show captcha</button>" * 2)
    with pytest.raises(AttemptFailed) as failed:
        await stage.capture(site.url())
    assert failed.value.task_error_code is TaskErrorCode.CAPTCHA_NOT_FOUND
    assert site.hits["/clicked"] == 1


UNTOUCHED = {
    "a form's own button": '<form action="/clicked"><button>Show captcha</button></form>',
    "a submit input": '<form action="/clicked"><input type="submit" value="Show captcha"></form>',
    "a link to another page": '<a href="/clicked">Show captcha</a>',
    "a code by message": '<input type="tel" name="phone"><button onclick="fetch(\'/clicked\')">获取验证码</button>',
    "a sound": "<button onclick=\"fetch('/clicked')\">Play audio captcha</button>",
    "anything else": "<button onclick=\"fetch('/clicked')\">Show password</button>",
}


async def test_nothing_else_is_clicked(site: LocalSite, stage: Stage) -> None:
    outcomes = await visit_all(site, stage, UNTOUCHED)
    assert all(isinstance(outcome, AttemptFailed) for outcome in outcomes.values())
    assert not site.hits["/clicked"]


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


async def test_a_selector_that_matches_nothing_is_not_found(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", '<div>Login <img id="captcha" src="/picture"></div>')
    site.put_picture("/picture", CAPTCHA_PNG)

    async def look_for(selector: str) -> AttemptFailed:
        with pytest.raises(AttemptFailed) as failed:
            await stage.capture(site.url(), selector, timeout_seconds=LOOK_SECONDS)
        return failed.value

    # At once, since each waits for what it seeks until its time is up.
    found = await asyncio.gather(*(look_for(selector) for selector in ("#absent", "text=Login", "div >> img", "###")))
    assert {failed.task_error_code for failed in found} == {TaskErrorCode.CAPTCHA_NOT_FOUND}
    assert found[0].message == "no loaded element matches #absent"
