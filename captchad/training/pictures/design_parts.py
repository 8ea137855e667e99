"""What designs are made of: a plain line of letters on a plane, two greys, curves, and light bending."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.lettering import Lettering, choose_fonts, write_text
from captchad.training.pictures.synthetic import frame_ink
from captchad.training.pictures.warps import bend, draw_field

Numbers = NDArray[np.floating[Any]]
Design = Callable[[str, random.Random], Numbers]

_INVERTED_CHANCE = 0.15
_CURVE_POINTS = 40


@dataclass(frozen=True, slots=True)
class Greys:
    """The grey of the ground and that of the ink; a person can tell them apart at once."""

    ground: float
    ink: float

    @property
    def contrast(self) -> float:
        """How much brighter the ink is than the ground; negative for dark ink."""
        return self.ink - self.ground


def choose_greys(source: random.Random) -> Greys:
    """Choose dark ink on a light ground, now and then the reverse."""
    light, dark = source.choice((255, source.uniform(205, 255))), source.choice((0, source.uniform(0, 110)))
    return Greys(dark, light) if source.random() < _INVERTED_CHANCE else Greys(light, dark)


def plain_lettering(source: random.Random, text: str, size_pixels: int) -> Lettering:
    """Give letters side by side, hardly turned; designs replace what makes them theirs."""
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


def blend(cover: Numbers, greys: Greys) -> Numbers:
    """Colour a cover."""
    return np.asarray(greys.ground + cover * greys.contrast, dtype=np.float32)


def bend_gently(plane: Numbers, fill: float, source: random.Random, most: float = 0.8) -> Numbers:
    """Bend a plane; `fill` is what comes in from outside."""
    [bent] = bend([plane], draw_field(source, plane.shape, source.uniform(0.2, most)), [fill])
    return bent


def to_image(picture: Numbers) -> Image.Image:
    """Make a grey image of a picture."""
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def to_numbers(image: Image.Image) -> Numbers:
    """Make a picture of a grey image."""
    return np.asarray(image, dtype=np.float32)


def draw_curve(
    draw: ImageDraw.ImageDraw, size: Sequence[int], fill: int, width_pixels: int, source: random.Random
) -> None:
    """Draw a smooth curve from side to side, through the letters."""
    width, height = size
    share = np.linspace(0, 1, _CURVE_POINTS)[:, None]
    corners = np.array([(width * place / 3, height * source.uniform(0.05, 0.95)) for place in range(4)])
    weights = np.hstack([(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3])
    points = [(float(across), float(down)) for across, down in weights @ corners]
    draw.line(points, fill, width_pixels, "curve")


def draw_line(
    draw: ImageDraw.ImageDraw, size: Sequence[int], fill: int, width_pixels: int, source: random.Random
) -> None:
    """Draw a straight line anywhere."""
    ends = [(source.randint(0, size[0]), source.randint(0, size[1])) for _ in range(2)]
    draw.line(ends, fill, width_pixels)


def random_plane(shape: tuple[int, ...], source: random.Random) -> Numbers:
    """Give a plane of random numbers, 0 to 1."""
    return np.random.default_rng(source.getrandbits(64)).random(shape, dtype=np.float32)
