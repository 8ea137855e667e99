"""Captchas that are more than one picture, or less: pieces in a row, a container, text cut to its ink, no ground."""

import io

import pytest
from PIL import Image, ImageDraw

from captchad.domain.picture import read_picture_header
from tests.integration.browser.stage import CAPTCHA_PNG, LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

TILE_SIZE = (20, 24)
COLOURS = [(200, 0, 0), (0, 160, 0), (0, 0, 220), (0, 0, 0)]
FIELD = '<input name="code">'
TILES = "".join(f'<img src="/tile{n}" width="20" height="24">' for n in range(4))
SPRITES = "".join(
    f'<span style="display:inline-block;width:20px;height:24px;background:url(/sprite) -{20 * n}px 0"></span>'
    for n in range(4)
)
WRAPPED = "".join(f'<span><img src="/tile{n}" width="20" height="24"></span>' for n in range(4))
HALVES = '<img id="captcha1" src="/half0"><img id="captcha2" src="/half1">'
PIECES = {"halves": HALVES, "pictures": TILES, "one sprite": SPRITES, "wrapped pictures": WRAPPED}


def encode(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def furnish(site: LocalSite) -> None:
    sprite = Image.new("RGB", (80, 24))
    for number, colour in enumerate(COLOURS):
        site.put_picture(f"/tile{number}", encode(Image.new("RGB", TILE_SIZE, colour)))
        sprite.paste(colour, (20 * number, 0, 20 * number + 20, 24))
    site.put_picture("/sprite", encode(sprite))
    for number in range(2):
        site.put_picture(f"/half{number}", encode(sprite.crop((40 * number, 0, 40 * number + 40, 24))))


def colours_across(picture: bytes) -> list[tuple[int, ...]]:
    """Return the colours of a picture's middle line, without the page's white, each once."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    line = [image.getpixel((x, image.height // 2)) for x in range(image.width)]
    return [one for one in dict.fromkeys(line) if isinstance(one, tuple) and one in COLOURS]


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES.keys())
@pytest.mark.parametrize("selector", [None, "#box"])
async def test_pieces_in_a_row_are_one_captcha(
    pieces: str, selector: str | None, site: LocalSite, stage: Stage
) -> None:
    furnish(site)
    site.put_page("/", f'<form>Verification code {FIELD} <span id="box">{pieces}</span></form>')
    captured = await stage.capture(site.url(), selector)
    assert colours_across(captured.picture) == COLOURS
    assert read_picture_header(captured.picture).height >= TILE_SIZE[1]


async def test_of_a_container_that_a_selector_names_its_picture_is_taken(site: LocalSite, stage: Stage) -> None:
    site.put_picture("/picture", CAPTCHA_PNG)
    site.put_page("/", f'<form><div id="box">Type this: <img src="/picture"> {FIELD}</div></form>')
    assert (await stage.capture(site.url(), "#box")).picture == CAPTCHA_PNG


async def test_a_text_in_a_wide_block_is_cut_to_its_ink(site: LocalSite, stage: Stage) -> None:
    site.put_page("/", f'<form>{FIELD}<div id="box" style="font-size:24px">花开富贵</div></form>')
    header = read_picture_header((await stage.capture(site.url(), "#box")).picture)
    assert header.width < 200


async def test_a_pale_transparent_picture_is_laid_on_the_page_s_ground(site: LocalSite, stage: Stage) -> None:
    picture = Image.new("RGBA", (120, 40), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 10, 40, 30), fill=(255, 255, 255, 255))
    draw.rectangle((60, 10, 80, 30), fill=(0, 0, 0, 255))
    site.put_picture("/picture", encode(picture))
    site.put_page("/", f'<form style="background:#888">{FIELD}<img id="captcha" src="/picture"></form>')
    captured = await stage.capture(site.url())
    laid = Image.open(io.BytesIO(captured.picture)).convert("RGB")
    assert laid.size == (120, 40)
    assert [laid.getpixel(at) for at in ((5, 5), (30, 20), (70, 20))] == [(136,) * 3, (255,) * 3, (0,) * 3]


async def test_over_a_picture_it_is_photographed(site: LocalSite, stage: Stage) -> None:
    picture = Image.new("RGBA", (120, 40), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((20, 10, 40, 30), fill=(255, 255, 255, 255))
    site.put_picture("/picture", encode(picture))
    site.put_picture("/ground", encode(Image.new("RGB", (10, 10), (10, 20, 200))))
    site.put_page("/", f'<form style="background:url(/ground)">{FIELD}<img id="captcha" src="/picture"></form>')
    laid = Image.open(io.BytesIO((await stage.capture(site.url())).picture)).convert("RGB")
    assert laid.getpixel((5, 5)) == (10, 20, 200)
