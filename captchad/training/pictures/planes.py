"""Planes: the greys, or the ink, of a whole picture as numbers."""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Numbers = NDArray[np.floating[Any]]
"""A picture still being drawn, shape (height, width); its values may leave 0..255. Or a cover, 1 where ink is."""


def seed_numbers(source: random.Random) -> np.random.Generator:
    """Return a generator of many numbers at once."""
    return np.random.default_rng(source.getrandbits(64))


def random_plane(shape: tuple[int, ...], source: random.Random) -> Numbers:
    """Return a plane of random numbers, 0 to 1."""
    return seed_numbers(source).random(shape, dtype=np.float32)


def plain(size: tuple[int, int], grey: float) -> Numbers:
    """Return a ground of one grey, by its width and height."""
    return np.full(size[::-1], grey, dtype=np.float32)


def blank(size: tuple[int, int], grey: float) -> Image.Image:
    """Return an image of one grey to draw on."""
    return to_image(plain(size, grey))


def to_image(picture: Numbers) -> Image.Image:
    """Make a grey image of a picture."""
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def to_numbers(image: Image.Image) -> Numbers:
    """Make a picture of a grey image."""
    return np.asarray(image, dtype=np.float32)
