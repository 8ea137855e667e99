"""Families drawn here: every picture in a style of its own, drawn from as many as captchas have been seen in."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from captchad.recognition.flattening import Pixels
from captchad.training.pictures.clutter import draw_clutter
from captchad.training.pictures.colours import Palette, draw_palette, measure_distance
from captchad.training.pictures.design_covers import grow
from captchad.training.pictures.finishing import finish
from captchad.training.pictures.fonts import list_fonts_with
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.lettering import Ink, Lettering, draw_lettering, write_text
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.scripts import SAMPLE_CHARACTERS, SCRIPTS, draw_foreign
from captchad.training.pictures.source import FamilyUnavailable
from captchad.training.pictures.texts import ShownText, draw_arithmetic, draw_groups, draw_text, draw_with_signs
from captchad.training.pictures.warps import bend, draw_field
from captchad.training.sample import Sample

HEIGHT_LEAST_PIXELS, HEIGHT_MOST_PIXELS = 20, 120
WIDTH_LEAST_PIXELS, WIDTH_MOST_PIXELS = 60, 300
_GREY_CHANCE = 0.25
_CUT_CHANCE = 0.06
_RIM_LEAST_PIXELS = 34
_SEED_BITS = 64
_FAINT_DISTANCE, _FAINT_CLUTTER = 45, 0.4


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of a picture, and how much else than its text it is to show (0 nothing .. 1 a lot)."""

    palette: Palette
    clutter: float

    @property
    def contrast(self) -> float:
        """How far ink and ground are apart, 0 to 255."""
        return float(np.mean(np.abs(np.subtract(self.palette.ink, self.palette.ground))))


@dataclass(frozen=True, slots=True)
class PlaneScheme:
    """One plane of a scheme: its ground, its first ink, what else is drawn, and how much of it."""

    ground: float
    ink: float
    others: tuple[float, ...]
    clutter: float
    reach: float

    @property
    def contrast(self) -> float:
        """How much brighter the ink is than the ground; negative for dark ink."""
        return self.ink - self.ground


class SyntheticFamily:
    """Texts in every style there is."""

    name = "synthetic"

    def draw(self, source: random.Random) -> Sample:
        """Draw a text of any alphabet."""
        return _draw_sample(draw_text, self.name, source)


class SyntheticArithmeticFamily:
    """Arithmetic in every style there is."""

    name = "synthetic-sum"

    def draw(self, source: random.Random) -> Sample:
        """Draw an expression to work out."""
        return _draw_sample(draw_arithmetic, self.name, source)


class GroupsFamily:
    """Groups with a space, a hyphen or a dot between them, in every style there is."""

    name = "groups"

    def draw(self, source: random.Random) -> Sample:
        """Draw two or three groups."""
        return _draw_sample(draw_groups, self.name, source)


class SignsFamily:
    """Letters and digits among signs, in every style there is."""

    name = "signs"

    def draw(self, source: random.Random) -> Sample:
        """Draw a text with signs."""
        return _draw_sample(draw_with_signs, self.name, source)


class ForeignFamily:
    """Characters that the model has no symbol for, in every style there is."""

    name = "foreign"

    def __init__(self) -> None:
        self._scripts = [script for script in SCRIPTS if list_fonts_with(script[:SAMPLE_CHARACTERS])]
        if not self._scripts:
            raise FamilyUnavailable("no font has letters of another script; Debian's fonts-dejavu-core has some")

    def draw(self, source: random.Random) -> Sample:
        """Draw a text of another script, or one with a character of it."""
        return _draw_sample(partial(draw_foreign, scripts=self._scripts), self.name, source)


def _draw_sample(draw_shown: Callable[[random.Random], ShownText], family: str, source: random.Random) -> Sample:
    shown = draw_shown(source)
    return Sample(draw_picture(shown.drawn, source), shown.text, family)


def draw_picture(
    text: str,
    source: random.Random,
    letter: Callable[[random.Random, str, int], Lettering] = draw_lettering,
    height_least_pixels: int = HEIGHT_LEAST_PIXELS,
) -> Pixels:
    """Draw a text as a captcha of some style; `letter` draws how a text of some size is to be written."""
    height = round(source.triangular(height_least_pixels, HEIGHT_MOST_PIXELS, 48))
    size = max(12, round(height * source.uniform(0.5, 1.0)))
    scheme = _choose_scheme(source, height)
    ink = write_text(text, letter(source, text, size), source, scheme.palette.inks)
    ink = frame_ink(ink, height, source)
    bent = source.choice(("nothing", "ink", "ink", "all"))
    if bent == "ink":
        ink = _bend_ink(ink, source)
    planes = _compose(ink, scheme, source)
    if bent == "all":
        field = draw_field(source, planes[0].shape, source.uniform(0.3, 1.0))
        planes = bend(planes, field, scheme.palette.ground)
    picture = planes[0] if len(planes) == 1 else np.stack(planes, axis=2)
    return finish(picture.clip(0, 255).astype(np.uint8), source)


def _choose_scheme(source: random.Random, height: int) -> Scheme:
    palette = _draw_greys(source) if source.random() < _GREY_CHANCE else draw_palette(source)
    clutter = source.choice((0.0, 0.3, 0.6, 1.0))
    if len(palette.ground) > 1 and measure_distance(palette.ground, palette.ink) < _FAINT_DISTANCE:
        clutter *= _FAINT_CLUTTER
    # What covers a small text is as thick as its strokes.
    return Scheme(palette, clutter * min(1.0, height / 60))


def _draw_greys(source: random.Random) -> Palette:
    contrast = source.uniform(60, 90) if source.random() < 0.06 else source.uniform(90, 255)
    is_dark_ground = source.random() < 0.2
    room = 255 - contrast
    ground = source.choice((room * source.random(), 0.0)) if is_dark_ground else 255 - room * source.random() ** 2
    ink = ground + contrast if is_dark_ground else ground - contrast
    return Palette((ground,), ((ink,),), ((ink,),))


def frame_ink(ink: Ink, height: int, source: random.Random) -> Ink:
    """Put written text on a plane as high as asked, and as wide as it takes."""
    written_height, written_width = ink.cover.shape
    most_wide = WIDTH_MOST_PIXELS - source.randint(4, 20)
    scale = min(1.0, most_wide / written_width, height * source.uniform(0.88, 1.05) / written_height)
    squeeze = source.choice((1.0, 1.0, source.uniform(0.7, 1.2)))
    if scale < 1 or squeeze != 1:
        size = (
            max(1, round(written_width * min(scale * squeeze, most_wide / written_width))),
            max(1, round(written_height * scale)),
        )
        ink = Ink.of_planes([_resize(plane, size) for plane in ink.planes])
        written_width = size[0]
    free = source.choice((0.05, 0.15, 0.3, 0.6, source.uniform(0, 1.5))) * height
    width = min(WIDTH_MOST_PIXELS, max(WIDTH_LEAST_PIXELS, round(written_width + free)))
    left = round((width - written_width) * source.choice((0.5, 0.5, source.random())))
    spare = height - ink.cover.shape[0]
    top = round(spare * source.choice((0.5, 0.5, source.random())))
    framed = Ink.of_planes([_place(plane, (height, width), (top, left)) for plane in ink.planes])
    if source.random() >= _CUT_CHANCE:
        return framed
    # The last letter is cut off at the edge, a sixth of it at most.
    end = max(WIDTH_LEAST_PIXELS, min(width, left + written_width - round(height * source.uniform(0, 0.1))))
    return Ink.of_planes([plane[:, :end] for plane in framed.planes])


def _resize(plane: Numbers, size: tuple[int, int]) -> Numbers:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _place(plane: Numbers, shape: tuple[int, int], corner: tuple[int, int]) -> Numbers:
    # What the first pixel is, the margins are: nothing of the cover, and some colour where none shows.
    image = Image.new("F", (shape[1], shape[0]), float(plane[0, 0]))
    image.paste(Image.fromarray(plane), (corner[1], corner[0]))
    return np.asarray(image, dtype=np.float32)


def _bend_ink(ink: Ink, source: random.Random) -> Ink:
    field = draw_field(source, ink.cover.shape, source.uniform(0.3, 1.1))
    return Ink.of_planes(bend(ink.planes, field, [0.0, *(float(plane[0, 0]) for plane in ink.planes[1:])]))


def _compose(ink: Ink, scheme: Scheme, source: random.Random) -> list[Numbers]:
    """Compose each plane by the same random numbers, so that all show the same."""
    seed, palette = source.getrandbits(_SEED_BITS), scheme.palette
    reach = scheme.contrast * source.choice((0.08, 0.15, 0.25)) * (0.4 + 0.6 * scheme.clutter)
    # Patterns of the ground may go another way in each plane, and so have a hue of their own.
    directions = (
        [1.0] * len(palette.ground) if source.random() < 0.5 else [source.uniform(-1, 1) for _ in palette.ground]
    )
    planes = []
    for number, direction in enumerate(directions):
        others = tuple(other[number] for other in palette.others)
        one = PlaneScheme(palette.ground[number], palette.ink[number], others, scheme.clutter, reach * direction)
        planes.append(_compose_plane(ink, ink.colours[number], one, random.Random(seed)))
    return planes


def _compose_plane(ink: Ink, colour: Numbers, scheme: PlaneScheme, source: random.Random) -> Numbers:
    height, width = ink.cover.shape
    picture = draw_ground(GroundPlan(height, width, scheme.ground, scheme.reach), source)
    if source.random() < scheme.clutter * 0.5:
        picture = _add_clutter(picture, _choose_greys(scheme, source, 0.6), source)
    picture = _add_rim(_add_shadow(picture, ink, scheme, source), ink, scheme, source)
    tone = np.float32(scheme.ground) + ink.tone * (colour - np.float32(scheme.ground))
    if source.random() < 0.1:
        tone = tone + _shade(tone.shape, source) * np.float32(0.25 * scheme.contrast)
    picture = picture + ink.cover * (tone - picture)
    if source.random() < scheme.clutter:
        picture = _add_clutter(picture, _choose_greys(scheme, source, 1.0), source)
    return picture


def _choose_greys(scheme: PlaneScheme, source: random.Random, share: float) -> tuple[int, ...]:
    kind = source.random()
    if kind < 0.4:
        greys: tuple[float, ...] = (scheme.ground + scheme.contrast * share,)
    elif kind < 0.55 and share == 1:
        greys = (scheme.ground,)
    elif kind < 0.8 and len(scheme.others) > 1:
        greys = tuple(scheme.ground + (other - scheme.ground) * share for other in scheme.others)
    else:
        greys = tuple(scheme.ground + scheme.contrast * share * source.uniform(0.2, 1.05) for _ in range(4))
    return tuple(min(255, max(0, round(grey))) for grey in greys)


def _add_clutter(picture: Numbers, greys: tuple[int, ...], source: random.Random) -> Numbers:
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    draw_clutter(image, greys, max(1, round(picture.shape[0] / source.choice((60, 40, 25, 17)))), source)
    return np.asarray(image, dtype=np.float32)


def _add_shadow(picture: Numbers, ink: Ink, scheme: PlaneScheme, source: random.Random) -> Numbers:
    if source.random() >= 0.12:
        return picture
    most = max(1, picture.shape[0] // 20)
    shift = (source.randint(-most, most), source.choice((-1, 1)) * source.randint(1, most))
    shadow = np.roll(ink.cover, shift, (0, 1))
    # Light from the other side makes an embossed look.
    strength = source.choice((0.3, 0.5, -0.3))
    return picture + shadow * np.float32(scheme.contrast * strength)


def _add_rim(picture: Numbers, ink: Ink, scheme: PlaneScheme, source: random.Random) -> Numbers:
    """Outline the letters in a colour that is not theirs."""
    if source.random() >= 0.08 or picture.shape[0] < _RIM_LEAST_PIXELS:
        return picture
    rim = grow(ink.cover, source.choice((3, 3, 5)))
    colour = source.choice((*scheme.others, 0.0, 255.0))
    return picture + rim * (np.float32(colour) - picture)


def _shade(shape: tuple[int, ...], source: random.Random) -> Numbers:
    height, width = shape
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return down * np.float32(source.uniform(-1, 1)) + across * np.float32(source.uniform(-1, 1))
