"""Pictures without any text: noise, patterns, clutter and shapes as photographs have them."""

import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.training.pictures.clutter import draw_clutter
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.source import Sample

Numbers = NDArray[np.floating]

_HEIGHTS, _ASPECTS = (24, 120), (1.5, 5.0)
_COARSE_SHARES = (4, 8, 16)


class EmptyFamily:
    """No text at all; what is read there is wrong."""

    name = "empty"

    def draw(self, source: random.Random) -> Sample:
        """Draw one kind of nothing."""
        height = source.randint(*_HEIGHTS)
        shape = (height, round(height * source.uniform(*_ASPECTS)))
        kind = source.choice((_draw_noise, _draw_pattern, _draw_clutter, _draw_shapes))
        return Sample(kind(shape, source).clip(0, 255).astype(np.uint8), "", self.name)


def _draw_noise(shape: tuple[int, int], source: random.Random) -> Numbers:
    numbers = np.random.default_rng(source.getrandbits(64))
    return numbers.standard_normal(shape) * source.uniform(5, 90) + source.uniform(40, 215)


def _draw_pattern(shape: tuple[int, int], source: random.Random) -> Numbers:
    plan = GroundPlan(*shape, grey=source.uniform(60, 200), reach=source.uniform(10, 70))
    return draw_ground(plan, source)


def _draw_clutter(shape: tuple[int, int], source: random.Random) -> Numbers:
    image = Image.fromarray(_draw_pattern(shape, source).clip(0, 255).astype(np.uint8))
    greys = tuple(source.randint(0, 255) for _ in range(3))
    draw_clutter(image, greys, max(1, shape[0] // source.choice((60, 30, 20))), source)
    return np.asarray(image)


def _draw_shapes(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Smooth light and dark places, as in a photograph scaled down."""
    numbers = np.random.default_rng(source.getrandbits(64))
    share = source.choice(_COARSE_SHARES)
    coarse = numbers.uniform(0, 255, (max(2, shape[0] // share), max(2, shape[1] // share))).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC))
