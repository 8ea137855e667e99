"""What designs make of the cover of their letters: soft ones, grown ones, rough ones, outlines."""

import random

import numpy as np
from PIL import ImageFilter

from captchad.training.pictures.planes import Numbers, random_plane, to_image, to_numbers


def soften(cover: Numbers, radius_pixels: float) -> Numbers:
    """Blur a cover."""
    return to_numbers(to_image(cover * 255).filter(ImageFilter.GaussianBlur(radius_pixels))) / 255


def grow(cover: Numbers, thickness_pixels: int) -> Numbers:
    """Thicken a cover to all sides, as its rim does; the thickness is odd."""
    return to_numbers(to_image(cover * 255).filter(ImageFilter.MaxFilter(thickness_pixels))) / 255


def roughen(cover: Numbers, source: random.Random) -> Numbers:
    """Make a cover as ragged as an old book's scan."""
    grain = (random_plane(cover.shape, source) - 0.5) * source.uniform(0.2, 0.6)
    return (soften(cover, 0.7) + grain > 0.45).astype(np.float32)


def find_edges(cover: Numbers) -> Numbers:
    """Return the outlines of a cover."""
    image = to_image(cover * 255)
    grown, shrunk = (to_numbers(image.filter(kind(3))) for kind in (ImageFilter.MaxFilter, ImageFilter.MinFilter))
    return (grown - shrunk) / 255
