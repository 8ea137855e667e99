"""Pictures without any text: noise, textures, patterns, codes, icons, clutter; what is read there is wrong."""

import random

import numpy as np

from captchad.training.pictures.colours import draw_any
from captchad.training.pictures.empty_objects import OBJECTS
from captchad.training.pictures.empty_textures import TEXTURES
from captchad.training.pictures.planes import Numbers
from captchad.training.sample import Sample

_HEIGHTS, _ASPECTS = (24, 120), (1.5, 5.0)
_SQUARE_CHANCE = 0.15
_SQUARE_FROM_PIXELS = 40
_GREY_CHANCE = 0.25
DRAWINGS = {**TEXTURES, **OBJECTS}
"""The kinds of nothing, each with its weight."""


class EmptyFamily:
    """No text at all."""

    name = "empty"

    def draw(self, source: random.Random) -> Sample:
        """Draw one kind of nothing, now and then as its negative."""
        height = source.randint(*_HEIGHTS)
        is_square = height >= _SQUARE_FROM_PIXELS and source.random() < _SQUARE_CHANCE
        width = round(height * (1.0 if is_square else source.uniform(*_ASPECTS)))
        [drawing] = source.choices(list(DRAWINGS), list(DRAWINGS.values()))
        picture = drawing((height, width), source)
        if source.random() < 0.2:
            picture = 255 - picture
        return Sample(_tint(np.asarray(picture).clip(0, 255), source).astype(np.uint8), "", self.name)


def _tint(picture: Numbers, source: random.Random) -> Numbers:
    """Draw three in four pictures between two or three colours in place of black and white."""
    if source.random() < _GREY_CHANCE:
        return picture
    colours = np.array([draw_any(source) for _ in range(source.choice((2, 2, 3)))])
    tones = np.linspace(0, 255, len(colours))
    return np.stack([np.interp(picture, tones, colours[:, plane]) for plane in range(3)], axis=2)
