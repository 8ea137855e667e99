"""The greys of designs: of ground and ink together, or of colours drawn one by one."""

import random
from dataclasses import dataclass

import numpy as np

from captchad.training.pictures.colour_passes import PlaneSource
from captchad.training.pictures.colours import draw_any, grey_of
from captchad.training.pictures.planes import Numbers

_INVERTED_CHANCE = 0.15


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
    if isinstance(source, PlaneSource) and source.palette is not None:
        source.random()
        return Greys(source.palette.ground[source.plane], source.palette.ink[source.plane])
    return Greys(dark, light) if source.random() < _INVERTED_CHANCE else Greys(light, dark)


def blend(cover: Numbers, greys: Greys) -> Numbers:
    """Colour a cover."""
    return np.asarray(greys.ground + cover * greys.contrast, dtype=np.float32)


def mix_grey(source: random.Random, least: float, most: float) -> float:
    """Return the grey, or a plane's share, of a colour whose red, green and blue are each drawn between two bounds."""
    colour = draw_any(source, least, most)
    return source.choose(colour, most) if isinstance(source, PlaneSource) else grey_of(colour)


def mix_greys(source: random.Random, least: float, most: float, count: int) -> tuple[float, ...]:
    """Return the greys of several colours."""
    return tuple(mix_grey(source, least, most) for _ in range(count))
