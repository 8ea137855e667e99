"""Draws vector pictures as PNG, so that they can be recognised like any other."""

import base64

from playwright.async_api import Page

from captchad.domain.errors import AttemptFailed, PictureRefused, TaskErrorCode
from captchad.domain.picture import read_picture_header

RASTER_HEIGHT_PIXELS = 128
RASTER_WIDTH_LIMIT_PIXELS = 2048
_IS_DRAWN = "document.images.length === 1 && document.images[0].naturalWidth > 0"


def choose_raster_size(svg: bytes) -> tuple[int, int]:
    """Return width and height in pixels to draw a vector picture at; AttemptFailed where it is none."""
    try:
        header = read_picture_header(svg)
    except PictureRefused as error:
        raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, error.message) from None
    width = round(RASTER_HEIGHT_PIXELS * header.width / max(1, header.height))
    return max(1, min(width, RASTER_WIDTH_LIMIT_PIXELS)), RASTER_HEIGHT_PIXELS


async def draw_picture(page: Page, svg: bytes, width: int, height: int) -> bytes:
    """Return an SVG as PNG, drawn as an image: no script of it runs, and nothing it names is loaded."""
    # The viewport is the picture, so that the screenshot needs no clip.
    await page.set_viewport_size({"width": width, "height": height})
    source = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    await page.set_content(f'<body style="margin:0"><img src="{source}" width="{width}" height="{height}">')
    if not await page.evaluate(_IS_DRAWN):
        raise AttemptFailed(TaskErrorCode.CAPTCHA_UNREADABLE, "the SVG is damaged and cannot be drawn")
    return await page.screenshot(type="png", animations="disabled")
