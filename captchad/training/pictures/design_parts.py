"""What designs are made of: a plain line of letters on a plane, curves and lines through it, and light bending."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PIL import ImageDraw

from captchad.training.pictures.curves import bend_between
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.lettering import Lettering, choose_fonts, write_text
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.synthetic import frame_ink
from captchad.training.pictures.warps import bend, draw_field

Design = Callable[[str, random.Random], Numbers]

_CURVE_POINTS = 40


def plain_lettering(source: random.Random, text: str, size_pixels: int) -> Lettering:
    """Return letters side by side, hardly turned; designs replace what makes them theirs."""
    return Lettering(
        fonts=choose_fonts(source, text)[:1],
        size_pixels=size_pixels,
        size_spread=source.choice((0, 0.1)),
        bitmap_rows=0,
        is_dotted=False,
        stroke_pixels=0,
        cuts=(),
        pose=Pose(turn_degrees=source.choice((0, 10, 25)), slant=source.choice((0, 0.2))),
        gap=source.uniform(0.02, 0.2),
        gap_spread=source.choice((0, 0.05)),
        drift=source.choice((0, 0.06, 0.12)),
        wave=0,
        tones=(1.0,),
        is_crossed_out=False,
    )


def write_cover(text: str, source: random.Random, height: int, **changes: Any) -> Numbers:
    """Write a text on a plane of a height, 1 where ink covers it; changes are those of the lettering."""
    size = round(height * source.uniform(0.6, 0.85))
    lettering = replace(plain_lettering(source, text, size), **changes)
    return frame_ink(write_text(text, lettering, source), height, source).cover


def bend_gently(plane: Numbers, fill: float, source: random.Random, most: float = 0.8) -> Numbers:
    """Bend a plane; `fill` is what comes in from outside."""
    [bent] = bend([plane], draw_field(source, plane.shape, source.uniform(0.2, most)), [fill])
    return bent


def draw_curve(
    draw: ImageDraw.ImageDraw, size: Sequence[int], fill: int, width_pixels: int, source: random.Random
) -> None:
    """Draw a smooth curve from side to side, through the letters."""
    width, height = size
    corners = [(width * place / 3, height * source.uniform(0.05, 0.95)) for place in range(4)]
    draw.line(bend_between(corners, _CURVE_POINTS), fill, width_pixels, "curve")


def draw_line(
    draw: ImageDraw.ImageDraw, size: Sequence[int], fill: int, width_pixels: int, source: random.Random
) -> None:
    """Draw a straight line anywhere."""
    ends = [(source.randint(0, size[0]), source.randint(0, size[1])) for _ in range(2)]
    draw.line(ends, fill, width_pixels)
