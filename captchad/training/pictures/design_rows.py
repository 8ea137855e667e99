"""Rows of letters on a picture of a given size: the fonts by their kind, a grey of its own for every letter."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from captchad.training.pictures.glyphs import Cut, Pose, draw_glyph, pose_glyph
from captchad.training.pictures.planes import Numbers, to_image, to_numbers

_WIDTH_MOST_PIXELS = 340
_SPACE_SHARE, _MARGIN_SHARE = 0.3, 0.93
_OVERLAP_MOST = 0.3


@dataclass(frozen=True, slots=True)
class Row:
    """How a row of letters is written; lengths are shares of the letters' size, which is one of the picture's height.

    In slots every letter stands in the middle of an equal share of the width; otherwise they follow each other. What
    is turned stands in a box larger than it is, unless it is trimmed: only then letters touch at a gap below nothing.
    """

    fonts: tuple[Path, ...]
    greys: tuple[float, ...] = (0.0,)
    size: float = 0.75
    size_spread: float = 0.0
    is_heavy: bool = False
    pose: Pose = field(default_factory=Pose)
    cuts: tuple[Cut, ...] = ()
    is_slotted: bool = False
    is_trimmed: bool = False
    gap: float = 0.06
    drift: float = 0.0
    start: float | None = 0.5


@dataclass(frozen=True, slots=True)
class Written:
    """Letters of a picture's size: how much of each pixel is ink (0..1), and that ink's grey."""

    cover: Numbers
    grey: Numbers

    def over(self, ground: Numbers | float) -> Numbers:
        """Lay the letters over a ground."""
        return np.asarray(ground + self.cover * (self.grey - ground), dtype=np.float32)


def choose_size(
    text: str, source: random.Random, widths: Sequence[int], heights: Sequence[int], typical: int = 5
) -> tuple[int, int]:
    """Choose a width and height between bounds; wider for more characters than the typical number."""
    height = source.randint(min(heights), max(heights))
    width = source.randint(min(widths), max(widths)) * max(1.0, len(text) / typical)
    return min(_WIDTH_MOST_PIXELS, round(width)), height


def write_row(text: str, size: tuple[int, int], row: Row, source: random.Random) -> Written:
    """Write a text on a picture of a width and height, made smaller where it would not fit."""
    width, height = size
    letter_pixels = max(10, round(height * row.size))
    glyphs = [None if character == " " else _make_glyph(character, letter_pixels, row, source) for character in text]
    placed, extent = _place(glyphs, width, letter_pixels, row, source)
    cover, grey = Image.new("L", extent, 0), Image.new("L", extent, round(float(np.mean(row.greys))))
    inked = [(glyph, place) for glyph, place in zip(glyphs, placed, strict=True) if glyph is not None]
    for number, (glyph, place) in enumerate(inked):
        cover.paste(255, place, glyph)
        grey.paste(round(row.greys[number % len(row.greys)]), place, glyph.point([0, *[255] * 255]))
    return _fit(cover, grey, size, row, source)


def lay_row(text: str, row: Row, ground: Image.Image, source: random.Random) -> Image.Image:
    """Write a text over all of an image."""
    return to_image(write_row(text, ground.size, row, source).over(to_numbers(ground)))


def _make_glyph(character: str, letter_pixels: int, row: Row, source: random.Random) -> Image.Image:
    size = round(letter_pixels * (1 + source.uniform(-row.size_spread, row.size_spread)))
    glyph = draw_glyph(source.choice(row.fonts), size, character)
    if row.is_heavy:
        glyph = ImageOps.expand(glyph, 1).filter(ImageFilter.MaxFilter(3))
    for cut in row.cuts:
        glyph = cut(glyph, source)
    # A plus sign turned far is read as a sign of multiplication.
    pose = row.pose if character.isalnum() else replace(row.pose, turn_degrees=min(row.pose.turn_degrees, 8))
    posed = pose_glyph(glyph, pose, source)
    left, _, right, _ = posed.getbbox() or (0, 0, posed.width, 0)
    return posed.crop((left, 0, right, posed.height)) if row.is_trimmed else posed


def _place(
    glyphs: list[Image.Image | None], width: int, letter_pixels: int, row: Row, source: random.Random
) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    reach = math.ceil(letter_pixels * row.drift)
    tallest = max((glyph.height for glyph in glyphs if glyph is not None), default=letter_pixels)
    widest = max((glyph.width for glyph in glyphs if glyph is not None), default=1)
    slot = max(width / len(glyphs), 0.9 * widest)
    places, left = [], 0.0
    for number, glyph in enumerate(glyphs):
        wide, high = (_SPACE_SHARE * letter_pixels, tallest) if glyph is None else glyph.size
        start = (number + 0.5) * slot - wide / 2 if row.is_slotted else left
        top = reach + (tallest - high) / 2 + source.uniform(-reach, reach)
        places.append((max(0, round(start)), round(top)))
        left += wide + max(letter_pixels * row.gap, -_OVERLAP_MOST * wide)
    end = max(place[0] + (1 if glyph is None else glyph.width) for place, glyph in zip(places, glyphs, strict=True))
    return places, (end, tallest + 2 * reach)


def _fit(cover: Image.Image, grey: Image.Image, size: tuple[int, int], row: Row, source: random.Random) -> Written:
    box = cover.getbbox() or (0, 0, 1, 1)
    cover, grey = cover.crop(box), grey.crop(box)
    scale = min(1.0, size[0] * _MARGIN_SHARE / cover.width, size[1] * _MARGIN_SHARE / cover.height)
    if scale < 1:
        smaller = (max(1, int(cover.width * scale)), max(1, int(cover.height * scale)))
        cover = cover.resize(smaller, Image.Resampling.BILINEAR)
        grey = grey.resize(smaller, Image.Resampling.NEAREST)
    spare_across, spare_down = size[0] - cover.width, size[1] - cover.height
    across = spare_across * (source.random() if row.start is None else row.start)
    place = (round(across), round(spare_down * source.uniform(0.4, 0.6)))
    planes = [Image.new("L", size, 0), Image.new("L", size, round(float(np.mean(row.greys))))]
    for plane, part in zip(planes, (cover, grey), strict=True):
        plane.paste(part, place)
    return Written(np.asarray(planes[0], dtype=np.float32) / 255, np.asarray(planes[1], dtype=np.float32))
