"""A line of text as ink: which fonts, how every character stands, how close they are, how dark each is."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters, digits
from typing import Self

import numpy as np
from PIL import Image, ImageChops

from captchad.training.pictures.colours import Colour
from captchad.training.pictures.fonts import has_characters, has_lower_case, list_fonts, list_fonts_with
from captchad.training.pictures.glyphs import (
    CUTS,
    Cut,
    Pose,
    draw_bitmap_glyph,
    draw_glyph,
    leave_whole,
    magnify,
    pose_glyph,
)
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.scripts import SAMPLE_CHARACTERS, find_script

_FONT_TRIES = 200
_SPACE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Ink:
    """How much of each pixel is ink (0..1), how dark that ink is (a factor of contrast, about 0.5..1), and its colour.

    The colour is a plane (0..255) for each part that the colours have: one of greys, three of red, green and blue.
    """

    cover: Numbers
    tone: Numbers
    colours: tuple[Numbers, ...]

    @property
    def planes(self) -> tuple[Numbers, ...]:
        """All planes: the cover, the tone, the colours."""
        return self.cover, self.tone, *self.colours

    @classmethod
    def of_planes(cls, planes: Sequence[Numbers]) -> Self:
        """Return ink of planes as `planes` gives them."""
        return cls(planes[0], planes[1], tuple(planes[2:]))


@dataclass(frozen=True, slots=True)
class Lettering:
    """How a line of text is written; lengths are shares of the characters' size."""

    fonts: tuple[Path, ...]
    size_pixels: int
    size_spread: float
    bitmap_rows: int
    is_dotted: bool
    stroke_pixels: int
    cuts: tuple[Cut, ...]
    pose: Pose
    gap: float
    gap_spread: float
    drift: float
    wave: float
    tones: tuple[float, ...]
    is_crossed_out: bool


def draw_lettering(
    source: random.Random, text: str, size_pixels: int, fonts: tuple[Path, ...] | None = None
) -> Lettering:
    """Draw how a text is to be written, with these fonts or with some that have its characters."""
    is_bitmap = source.random() < 0.12
    is_tight = source.random() < 0.28
    is_even = source.random() < 0.55
    return Lettering(
        fonts=choose_fonts(source, text) if fonts is None else fonts,
        size_pixels=size_pixels,
        size_spread=source.choice((0, 0, 0, 0.1, 0.2, 0.4)),
        bitmap_rows=source.randint(9, 15) if is_bitmap else 0,
        is_dotted=source.random() < 0.3,
        stroke_pixels=source.choice((0, 0, 0, 0, 1, 1, 2)) if size_pixels > 24 else 0,
        cuts=_choose_cuts(source) if size_pixels > 20 and not is_bitmap else (),
        pose=_choose_pose(source),
        gap=source.uniform(-0.2, 0.0)
        if is_tight
        else source.choice((0.04, 0.08, source.uniform(0, 0.2), source.uniform(0, 0.6))),
        gap_spread=source.choice((0, 0, 0.05, 0.1)),
        drift=source.choice((0, 0, 0.05, 0.12, 0.2)),
        wave=source.choice((0, 0, 0, 0.1, 0.2)),
        tones=(1.0,) if is_even else tuple(source.uniform(0.6, 1) for _ in range(source.randint(2, 6))),
        is_crossed_out=is_tight and source.random() < 0.1,
    )


def choose_fonts(source: random.Random, text: str) -> tuple[Path, ...]:
    """Choose one font or a few that have the text's characters; none of capitals only for lower case letters."""
    wanted = source.choice((1, 1, 1, 2, 4, len(text)))
    script = find_script(text)
    # Fonts of other scripts may lack letters and digits.
    signs = "".join(sorted(set(text) - (set(ascii_letters + digits) if script is None else set()) - {" "}))
    at_hand = list_fonts() if script is None else list_fonts_with(script[:SAMPLE_CHARACTERS])
    fonts: list[Path] = []
    for _ in range(_FONT_TRIES if at_hand else 0):
        font = source.choice(at_hand)
        if has_characters(font, signs) and (not any(map(str.islower, text)) or has_lower_case(font)):
            fonts.append(font)
        if len(fonts) == wanted:
            break
    if not fonts:
        raise ValueError(f"no font has the characters of {text!r}")
    return tuple(fonts)


def _choose_cuts(source: random.Random) -> tuple[Cut, ...]:
    kind = source.random()
    if kind < 0.6:
        return ()
    if kind < 0.85:
        return tuple(source.choices(list(CUTS), list(CUTS.values())))
    # Every letter in a way of its own, some whole.
    return (*source.choices(list(CUTS), list(CUTS.values()), k=3), leave_whole)


def _choose_pose(source: random.Random) -> Pose:
    strength = source.choice((0.0, 0.3, 0.6, 1.0))
    if strength == 0:
        return Pose()
    return Pose(
        turn_degrees=strength * source.choice((0, 15, 30, 38)),
        slant=strength * source.choice((0, 0.2, 0.4)),
        stretch=strength * source.choice((0, 0.15, 0.25)),
        pull=strength * source.choice((0, 0, 0.15, 0.25)),
    )


def write_text(text: str, lettering: Lettering, source: random.Random, inks: Sequence[Colour] = ((0.0,),)) -> Ink:
    """Write a text with one ink after the other; the ink's picture is just large enough."""
    glyphs = [None if character == " " else _make_glyph(character, lettering, source) for character in text]
    size = lettering.size_pixels
    places, end = _space_out(glyphs, lettering, source)
    reach = math.ceil(size * (lettering.drift + lettering.wave)) + 1
    height = max((glyph.height for glyph in glyphs if glyph is not None), default=size) + 2 * reach
    cover, tone = Image.new("L", (end, height), 0), Image.new("L", (end, height), 255)
    colours = [Image.new("L", (end, height), round(part)) for part in inks[0]]
    phase, length = source.uniform(0, math.tau), source.uniform(2, 8)
    for number, (glyph, left) in enumerate(zip(glyphs, places, strict=True)):
        if glyph is None:
            continue
        middle = height / 2 + size * lettering.wave * math.sin(phase + number * math.tau / length)
        top = round(middle + size * source.uniform(-lettering.drift, lettering.drift) - glyph.height / 2)
        _lay_down(cover, tone, glyph, (left, top), lettering)
        darkness = lettering.tones[number % len(lettering.tones)]
        extent = glyph.point([0, *[255] * 255])
        tone.paste(round(255 * darkness), (left, top), extent)
        for plane, part in zip(colours, inks[number % len(inks)], strict=True):
            plane.paste(round(part), (left, top), extent)
    whole = (np.asarray(cover, dtype=np.float32) / 255, np.asarray(tone, dtype=np.float32) / 255)
    return Ink(*whole, tuple(np.asarray(plane, dtype=np.float32) for plane in colours))


def _lay_down(
    cover: Image.Image, _tone: Image.Image, glyph: Image.Image, place: tuple[int, int], lettering: Lettering
) -> None:
    if lettering.is_crossed_out:
        # Where two characters overlap, both are cut out, as captchas do that combine them by exclusive or.
        layer = Image.new("L", cover.size, 0)
        layer.paste(glyph, place)
        cover.paste(ImageChops.difference(cover, layer))
    else:
        cover.paste(255, place, glyph)


def _make_glyph(character: str, lettering: Lettering, source: random.Random) -> Image.Image:
    font = source.choice(lettering.fonts)
    if lettering.bitmap_rows:
        factor = max(1, round(lettering.size_pixels / lettering.bitmap_rows))
        glyph = magnify(draw_bitmap_glyph(font, lettering.bitmap_rows, character), factor, lettering.is_dotted)
    else:
        size = lettering.size_pixels * (1 + source.uniform(-lettering.size_spread, lettering.size_spread))
        glyph = draw_glyph(font, round(size), character, lettering.stroke_pixels)
    if lettering.cuts:
        glyph = source.choice(lettering.cuts)(glyph, source)
    return pose_glyph(glyph, lettering.pose, source)


def _space_out(glyphs: list[Image.Image | None], lettering: Lettering, source: random.Random) -> tuple[list[int], int]:
    size, left, end = lettering.size_pixels, 0.0, 1.0
    places = []
    for glyph in glyphs:
        places.append(max(0, round(left)))
        width = size * _SPACE_SHARE if glyph is None else glyph.width
        end = max(end, places[-1] + width)
        gap = lettering.gap + source.uniform(-lettering.gap_spread, lettering.gap_spread)
        # A narrow character would vanish in the next one if both moved together by much of a line's height.
        left += width + max(size * gap, -0.35 * width)
    return places, math.ceil(end)
