"""Gives a picture other colours that leave it as legible as it was: for a person, and so for the network."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.flattening import Pixels, has_colours, to_colours

_RECOLOUR_CHANCE = 0.5
_LEVELS = 255.0
_LEAST_DIFFERENCE = 0.28
_TRIES = 12
Colours = NDArray[np.floating]
Colouring = Callable[[Colours, np.random.Generator], Colours]


def recolour(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Recolour a picture about every second time; a grey one gets two colours, a coloured one others."""
    if generator.random() >= _RECOLOUR_CHANCE:
        return pixels
    if not has_colours(pixels):
        return _apply(_tint, pixels, generator)
    return _apply(_COLOURINGS[generator.integers(len(_COLOURINGS))], pixels, generator)


def _apply(colouring: Colouring, pixels: Pixels, generator: np.random.Generator) -> Pixels:
    coloured = colouring(to_colours(pixels) / _LEVELS, generator)
    return np.asarray((coloured * _LEVELS).clip(0, _LEVELS), dtype=np.uint8)


def _tint(colours: Colours, generator: np.random.Generator) -> Colours:
    """Lay the way from black to white between two colours, often of almost one brightness."""
    dark, light = draw_pair(generator)
    return np.asarray(dark + colours * (light - dark))


def _swap(colours: Colours, generator: np.random.Generator) -> Colours:
    return colours[:, :, generator.permutation(3)]


def _turn_hue(colours: Colours, generator: np.random.Generator) -> Colours:
    """Turn all hues by one angle around the axis of greys."""
    angle = generator.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle), np.sin(angle) / np.sqrt(3)
    rest = (1 - cosine) / 3
    turn = np.array(
        [
            [cosine + rest, rest - sine, rest + sine],
            [rest + sine, cosine + rest, rest - sine],
            [rest - sine, rest + sine, cosine + rest],
        ]
    )
    return np.asarray(colours @ turn.T)


def _invert(colours: Colours, _generator: np.random.Generator) -> Colours:
    return 1 - colours


_COLOURINGS: tuple[Colouring, ...] = (_swap, _turn_hue, _turn_hue, _invert)


def draw_pair(generator: np.random.Generator) -> tuple[Colours, Colours]:
    """Draw two colours that a person can tell apart, as what is dark and what is light; each colour is 0 to 1."""
    for _ in range(_TRIES):
        dark, light = generator.uniform(0, 1, 3), generator.uniform(0, 1, 3)
        if np.abs(dark - light).mean() >= _LEAST_DIFFERENCE:
            return dark, light
    return np.zeros(3), np.ones(3)
