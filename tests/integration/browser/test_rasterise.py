"""Vector pictures are drawn by the browser, as images: inert, and loading nothing."""

import io

import pytest
from PIL import Image

from captchad.domain.errors import AttemptFailed
from tests.integration.browser.stage import LocalSite, Stage

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SIMPLE = b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40"><rect width="50" height="40"/></svg>'

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_vector_picture_is_drawn_large_enough_to_be_read(stage: Stage) -> None:
    picture = Image.open(io.BytesIO(await stage.rasterise(SIMPLE))).convert("L")
    assert picture.size == (320, 128)
    assert picture.getpixel((80, 64)) == 0
    assert picture.getpixel((240, 64)) == 255


async def test_one_without_a_size_is_drawn_by_its_view_box(stage: Stage) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40"><rect width="50" height="40"/></svg>'
    picture = Image.open(io.BytesIO(await stage.rasterise(svg))).convert("L")
    assert picture.size == (320, 128)
    assert picture.getpixel((80, 64)) == 0


async def test_scripts_and_references_in_it_do_nothing(stage: Stage, site: LocalSite) -> None:
    leak = f"http://127.0.0.1:{site.port}/leak"
    svg = f"""<?xml version="1.0"?><?xml-stylesheet href="{leak}"?>
    <svg {NAMESPACES} width="10" height="10" onload="fetch('{leak}')">
      <style>@import url({leak}); @font-face {{ font-family: leak; src: url({leak}) }}</style>
      <style>rect {{ fill: url({leak}#a) }}</style>
      <script>fetch('{leak}')</script><script href="{leak}"/>
      <image xlink:href="{leak}" width="9" height="9"/><image href="{leak}" width="9" height="9"/>
      <use href="{leak}#a"/><feImage href="{leak}"/><text font-family="leak">a</text><rect width="9" height="9"/>
      <foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="{leak}"/></foreignObject>
    </svg>"""
    assert await stage.rasterise(svg.encode())
    assert not site.hits


async def test_a_script_without_end_in_it_holds_nothing_up(stage: Stage) -> None:
    svg = f"""<svg {NAMESPACES} width="100" height="40"><script>while (true);</script>
      <foreignObject width="90" height="40">
        <body xmlns="http://www.w3.org/1999/xhtml"><script>while (true);</script></body>
      </foreignObject></svg>"""
    assert await stage.rasterise(svg.encode())


async def test_one_that_is_drawn_without_end_is_given_up_in_time(stage: Stage) -> None:
    groups = "".join(f'<g id="g{level}">{f"""<use href="#g{level - 1}"/>""" * 10}</g>' for level in range(1, 9))
    drawing = f'<svg {NAMESPACES} width="9" height="9"><rect id="g0" width="1" height="1"/>{groups}</svg>'
    with pytest.raises(AttemptFailed, match="took longer than 2 s"):
        await stage.rasterise(drawing.encode(), 2)
    assert await stage.rasterise(SIMPLE)


@pytest.mark.parametrize(
    "svg",
    [SIMPLE[:-10], SIMPLE.replace(b"xmlns", b"data-x"), b"<svg>" + b"<g>" * 100_000 + b"</g>" * 100_000 + b"</svg>"],
)
async def test_a_damaged_one_is_unreadable(stage: Stage, svg: bytes) -> None:
    with pytest.raises(AttemptFailed, match="cannot be drawn"):
        await stage.rasterise(svg)


@pytest.mark.parametrize(
    "entity", ['<!ENTITY a "laugh"><!ENTITY b "&a;&a;">', '<!ENTITY a SYSTEM "file:///etc/passwd">']
)
async def test_entities_are_refused_before_any_browser(stage: Stage, entity: str) -> None:
    svg = f"<!DOCTYPE svg [{entity}]><svg {NAMESPACES} width='9' height='9'><text>&a;</text></svg>"
    with pytest.raises(AttemptFailed, match="not a PNG"):
        await stage.rasterise(svg.encode())


async def test_a_picture_that_is_none_is_unreadable(stage: Stage) -> None:
    with pytest.raises(AttemptFailed, match="not a PNG"):
        await stage.rasterise(b"rubbish")
