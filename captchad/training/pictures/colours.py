"""Colours of ground and ink that a person can tell apart, also such as hardly differ in brightness."""

import colorsys
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from captchad.recognition.preparation import to_lab

Colour = tuple[float, ...]
"""Red, green and blue from 0 to 255; or one grey."""

BLACK, WHITE = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)
_CLEAR_DISTANCE, _PALE_DISTANCE = 38.0, 24.0
_TRIES = 30
_PALE_INKS = (
    (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 192, 203), (255, 105, 180), (255, 165, 0), (173, 255, 47),
    (127, 255, 212), (255, 215, 0), (135, 206, 250), (50, 205, 50), (255, 182, 193), (240, 230, 140), (64, 224, 208),
    (238, 130, 238), (255, 160, 122), (200, 255, 120), (255, 240, 60),
)  # fmt: skip
"""Yellow, cyan, lime, pink and others that are nearly as bright as white."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a picture: its ground, the inks of its letters in turn, and what else is drawn."""

    ground: Colour
    inks: tuple[Colour, ...]
    others: tuple[Colour, ...]

    @property
    def ink(self) -> Colour:
        """The first letter's colour."""
        return self.inks[0]


def measure_distance(one: Colour, other: Colour) -> float:
    """Return how far two colours are apart in CIE Lab: 2 is the least that is seen, black and white are 100 apart."""
    pixels = np.array([[one, other]]).clip(0, 255).astype(np.uint8)
    first, second = to_lab(pixels).T
    return float(np.linalg.norm(first - second))


def grey_of(colour: Colour) -> float:
    """Return a colour's brightness."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


def draw_palette(source: random.Random, most_inks: int = 6) -> Palette:
    """Draw colours of which every ink is clear on the ground."""
    [kind] = source.choices(list(KINDS), list(KINDS.values()))
    draw_ground, draw_ink, distance = kind(source)
    count = source.choice((1, 1, 1, 2, 3, most_inks))
    for _ in range(_TRIES):
        ground = draw_ground()
        inks = [_draw_clear(draw_ink, ground, distance) for _ in range(count)]
        clear = tuple(ink for ink in inks if ink is not None)
        if clear:
            others = tuple(source.choice((*clear, draw_any(source))) for _ in range(4))
            return Palette(ground, clear, others)
    return Palette(WHITE, (BLACK,), (BLACK,))


def _draw_clear(draw_ink: Callable[[Colour], Colour], ground: Colour, distance: float) -> Colour | None:
    for _ in range(_TRIES):
        ink = draw_ink(ground)
        if measure_distance(ground, ink) >= distance:
            return ink
    return None


def draw_any(source: random.Random, least: float = 0, most: float = 255) -> Colour:
    """Draw a colour whose red, green and blue each lie between two bounds."""
    return tuple(source.uniform(least, most) for _ in range(3))


def draw_vivid(source: random.Random) -> Colour:
    """Draw a colour of any hue that is neither pale nor dim."""
    shares = colorsys.hsv_to_rgb(source.random(), source.uniform(0.6, 1), source.uniform(0.55, 1))
    return tuple(255 * share for share in shares)


Drawing = tuple[Callable[[], Colour], Callable[[Colour], Colour], float]
"""How a kind of palette draws its ground, how an ink to a ground, and how far apart they are at least."""


def _paper(source: random.Random) -> Colour:
    return source.choice((WHITE, WHITE, draw_any(source, 225, 255), draw_any(source, 190, 255)))


def _dark_on_light(source: random.Random) -> Drawing:
    return lambda: _paper(source), lambda _ground: draw_any(source, 0, source.choice((90, 150))), 45.0


def _vivid_on_light(source: random.Random) -> Drawing:
    return lambda: _paper(source), lambda _ground: draw_vivid(source), _CLEAR_DISTANCE


def _pale_on_light(source: random.Random) -> Drawing:
    def draw_ink(_ground: Colour) -> Colour:
        return tuple(min(255.0, max(0.0, part + source.uniform(-25, 15))) for part in source.choice(_PALE_INKS))

    return lambda: source.choice((WHITE, WHITE, draw_any(source, 235, 255))), draw_ink, _PALE_DISTANCE


def _as_bright_as_the_ground(source: random.Random) -> Drawing:
    def draw_ink(ground: Colour) -> Colour:
        ink = draw_any(source)
        shift = grey_of(ground) + source.uniform(-12, 12) - grey_of(ink)
        return tuple(min(255.0, max(0.0, part + shift)) for part in ink)

    return lambda: draw_any(source, 40, 230), draw_ink, _CLEAR_DISTANCE


def _any_on_any(source: random.Random) -> Drawing:
    return lambda: draw_any(source), lambda _ground: draw_any(source), _CLEAR_DISTANCE


def _light_on_dark(source: random.Random) -> Drawing:
    return lambda: draw_any(source, 0, 80), lambda _ground: draw_vivid(source), 45.0


KINDS: dict[Callable[[random.Random], Drawing], int] = {
    _dark_on_light: 6,
    _vivid_on_light: 5,
    _pale_on_light: 4,
    _as_bright_as_the_ground: 3,
    _any_on_any: 3,
    _light_on_dark: 2,
}
"""The kinds of palettes, each with its weight."""
