"""Draws letters a little turned, each in an ink of its own, on a ground or on none."""

import secrets
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from captchad.sample_site.drawing import encode_png, find_font

FONT_PIXELS = 44
LETTER_WIDTH_PIXELS, HEIGHT_PIXELS = 34, 60
MARGIN_PIXELS = 12
LARGEST_TURN_DEGREES = 12
LARGEST_SHIFT_PIXELS = 4
TILE_FONT_PIXELS = 26
TILE_WIDTH_PIXELS, TILE_HEIGHT_PIXELS = 20, 32


def draw_letters(text: str, inks: Sequence[str], ground: str | None) -> bytes:
    """Return `text` as PNG, a letter in each ink; without a ground it is transparent."""
    width = LETTER_WIDTH_PIXELS * len(text) + 2 * MARGIN_PIXELS
    picture = Image.new("RGBA", (width, HEIGHT_PIXELS), ground or (0, 0, 0, 0))
    font = ImageFont.truetype(str(find_font()), FONT_PIXELS)
    for place, (letter, ink) in enumerate(zip(text, inks, strict=True)):
        drawn = _draw_turned(letter, ink, font)
        middle = MARGIN_PIXELS + LETTER_WIDTH_PIXELS * place + LETTER_WIDTH_PIXELS // 2
        top = (HEIGHT_PIXELS - drawn.height) // 2 + _pick(LARGEST_SHIFT_PIXELS)
        picture.alpha_composite(drawn, (middle - drawn.width // 2, top))
    return encode_png(picture if ground is None else picture.convert("RGB"))


def draw_tile(letter: str, ink: str, ground: str) -> bytes:
    """Return one letter as PNG, for a row of such pictures."""
    picture = Image.new("RGB", (TILE_WIDTH_PIXELS, TILE_HEIGHT_PIXELS), ground)
    font = ImageFont.truetype(str(find_font()), TILE_FONT_PIXELS)
    middle = (TILE_WIDTH_PIXELS / 2, TILE_HEIGHT_PIXELS / 2)
    ImageDraw.Draw(picture).text(middle, letter, ink, font, anchor="mm")
    return encode_png(picture)


def _draw_turned(letter: str, ink: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    # Upright it is narrower than its place, and turned no higher than the picture.
    size = (LETTER_WIDTH_PIXELS, HEIGHT_PIXELS - 2 * LARGEST_SHIFT_PIXELS)
    letter_mask = Image.new("L", size, 0)
    ImageDraw.Draw(letter_mask).text((size[0] / 2, size[1] / 2), letter, 255, font, anchor="mm")
    mask = letter_mask.rotate(_pick(LARGEST_TURN_DEGREES), Image.Resampling.BICUBIC)
    drawn = Image.new("RGBA", size, ink)
    drawn.putalpha(mask)
    return drawn


def _pick(largest: int) -> int:
    """Return a whole number between -largest and largest."""
    return secrets.randbelow(2 * largest + 1) - largest
