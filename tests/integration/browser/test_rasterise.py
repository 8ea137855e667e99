"""Vector pictures are drawn by the browser, as images: inert, and loading nothing."""

import io

import pytest
from PIL import Image

from captchad.domain.errors import AttemptFailed
from tests.integration.browser.stage import LocalSite, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_vector_picture_is_drawn_large_enough_to_be_read(stage: Stage) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40"><rect width="50" height="40"/></svg>'
    picture = Image.open(io.BytesIO(await stage.engine.rasterise(svg, 10, "task"))).convert("L")
    assert picture.size == (320, 128)
    assert picture.getpixel((80, 64)) == 0
    assert picture.getpixel((240, 64)) == 255


async def test_scripts_and_references_in_it_do_nothing(stage: Stage, site: LocalSite) -> None:
    site.put_picture("/leak.png", b"x")
    svg = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="10">
      <script>fetch('http://127.0.0.1:{site.port}/leak.png')</script>
      <image xlink:href="http://127.0.0.1:{site.port}/leak.png" width="9" height="9"/>
      <foreignObject width="9" height="9"><iframe src="http://127.0.0.1:{site.port}/leak.png"/></foreignObject>
    </svg>"""
    assert await stage.engine.rasterise(svg.encode(), 10, "task")
    assert not site.hits


async def test_a_picture_that_is_none_is_unreadable(stage: Stage) -> None:
    with pytest.raises(AttemptFailed, match="no PNG"):
        await stage.engine.rasterise(b"rubbish", 10, "task")
