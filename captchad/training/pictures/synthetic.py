"""Families drawn here: every picture in a style of its own, drawn from as many as captchas have been seen in."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from captchad.recognition.flattening import Pixels
from captchad.training.pictures.clutter import draw_clutter
from captchad.training.pictures.finishing import finish
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.lettering import Ink, draw_lettering, write_text
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.texts import ShownText, draw_arithmetic, draw_text
from captchad.training.pictures.warps import bend, draw_field
from captchad.training.sample import Sample

HEIGHT_LEAST_PIXELS, HEIGHT_MOST_PIXELS = 23, 120
WIDTH_LEAST_PIXELS, WIDTH_MOST_PIXELS = 60, 300


@dataclass(frozen=True, slots=True)
class Scheme:
    """The greys of a picture, and how much else than its text it is to show (0 nothing .. 1 a lot)."""

    ground: float
    ink: float
    clutter: float

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


def _draw_sample(draw_shown: Callable[[random.Random], ShownText], family: str, source: random.Random) -> Sample:
    shown = draw_shown(source)
    return Sample(draw_picture(shown.drawn, source), shown.text, family)


def draw_picture(text: str, source: random.Random) -> Pixels:
    """Draw a text as a captcha of some style."""
    height = round(source.triangular(HEIGHT_LEAST_PIXELS, HEIGHT_MOST_PIXELS, 48))
    size = max(13, round(height * source.uniform(0.55, 1.0)))
    scheme = _choose_scheme(source, height)
    ink = frame_ink(write_text(text, draw_lettering(source, text, size), source), height, source)
    bent = source.choice(("nothing", "ink", "ink", "all"))
    if bent == "ink":
        ink = _bend_ink(ink, source)
    picture = _compose(ink, scheme, source)
    if bent == "all":
        field = draw_field(source, picture.shape, source.uniform(0.3, 1.0))
        [picture] = bend([picture], field, [scheme.ground])
    return finish(picture.clip(0, 255).astype(np.uint8), source)


def _choose_scheme(source: random.Random, height: int) -> Scheme:
    contrast = source.uniform(60, 90) if source.random() < 0.06 else source.uniform(90, 255)
    is_dark_ground = source.random() < 0.2
    room = 255 - contrast
    ground = source.choice((room * source.random(), 0.0)) if is_dark_ground else 255 - room * source.random() ** 2
    ink = ground + contrast if is_dark_ground else ground - contrast
    # What covers a small text is as thick as its strokes.
    return Scheme(ground, ink, source.choice((0.0, 0.3, 0.6, 1.0)) * min(1.0, height / 60))


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
        ink = Ink(_resize(ink.cover, size), _resize(ink.tone, size))
        written_width = size[0]
    free = source.choice((0.05, 0.15, 0.3, 0.6, source.uniform(0, 1.5))) * height
    width = min(WIDTH_MOST_PIXELS, max(WIDTH_LEAST_PIXELS, round(written_width + free)))
    left = round((width - written_width) * source.choice((0.5, 0.5, source.random())))
    spare = height - ink.cover.shape[0]
    top = round(spare * source.choice((0.5, 0.5, source.random())))
    return Ink(_place(ink.cover, (height, width), (top, left), 0), _place(ink.tone, (height, width), (top, left), 1))


def _resize(plane: Numbers, size: tuple[int, int]) -> Numbers:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR), dtype=np.float32)


def _place(plane: Numbers, shape: tuple[int, int], corner: tuple[int, int], fill: float) -> Numbers:
    image = Image.new("F", (shape[1], shape[0]), fill)
    image.paste(Image.fromarray(plane), (corner[1], corner[0]))
    return np.asarray(image, dtype=np.float32)


def _bend_ink(ink: Ink, source: random.Random) -> Ink:
    field = draw_field(source, ink.cover.shape, source.uniform(0.3, 1.1))
    cover, tone = bend([ink.cover, ink.tone], field, [0.0, 1.0])
    return Ink(cover, tone)


def _compose(ink: Ink, scheme: Scheme, source: random.Random) -> Numbers:
    height, width = ink.cover.shape
    reach = abs(scheme.contrast) * source.choice((0.08, 0.15, 0.25)) * (0.4 + 0.6 * scheme.clutter)
    picture = draw_ground(GroundPlan(height, width, scheme.ground, reach), source)
    if source.random() < scheme.clutter * 0.5:
        picture = _add_clutter(picture, _choose_greys(scheme, source, 0.6), source)
    picture = _add_shadow(picture, ink, scheme, source)
    tone = ink.tone * np.float32(scheme.contrast) + np.float32(scheme.ground)
    if source.random() < 0.1:
        tone = tone + _shade(tone.shape, source) * np.float32(0.25 * scheme.contrast)
    picture = picture + ink.cover * (tone - picture)
    if source.random() < scheme.clutter:
        picture = _add_clutter(picture, _choose_greys(scheme, source, 1.0), source)
    return picture


def _choose_greys(scheme: Scheme, source: random.Random, share: float) -> tuple[int, ...]:
    kind = source.random()
    if kind < 0.45:
        greys: tuple[float, ...] = (scheme.ground + scheme.contrast * share,)
    elif kind < 0.6 and share == 1:
        greys = (scheme.ground,)
    else:
        greys = tuple(scheme.ground + scheme.contrast * share * source.uniform(0.2, 1.05) for _ in range(4))
    return tuple(min(255, max(0, round(grey))) for grey in greys)


def _add_clutter(picture: Numbers, greys: tuple[int, ...], source: random.Random) -> Numbers:
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    draw_clutter(image, greys, max(1, round(picture.shape[0] / source.choice((60, 40, 25, 17)))), source)
    return np.asarray(image, dtype=np.float32)


def _add_shadow(picture: Numbers, ink: Ink, scheme: Scheme, source: random.Random) -> Numbers:
    if source.random() >= 0.08:
        return picture
    most = max(1, picture.shape[0] // 20)
    shift = (source.randint(-most, most), source.choice((-1, 1)) * source.randint(1, most))
    shadow = np.roll(ink.cover, shift, (0, 1))
    # Light from the other side makes an embossed look.
    strength = source.choice((0.3, 0.5, -0.3))
    return picture + shadow * np.float32(scheme.contrast * strength)


def _shade(shape: tuple[int, ...], source: random.Random) -> Numbers:
    height, width = shape
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return down * np.float32(source.uniform(-1, 1)) + across * np.float32(source.uniform(-1, 1))
