"""Prepares grey pictures of any size for the network: one height, ground 0, ink about 1."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.recognition.flattening import Pixels

Prepared = NDArray[np.float32]
"""A prepared picture, shape (48, width)."""

HEIGHT_PIXELS = 48
"""48 rows keep the thin strokes of 60 to 80 pixel pictures, which 32 smear, at about half the work of 64."""

WIDTH_LEAST_PIXELS, WIDTH_LIMIT_PIXELS = 64, 640
NORMALISATION = "ground-median, ink-positive, 1st-to-99th percentile range, clipped to -2..2"

_GREYS = 256
# Percentiles rather than extremes: a few stray pixels must not set the scale. The median is the ground, since most of
# a captcha is.
_LOW_SHARE, _MIDDLE_SHARE, _HIGH_SHARE = 0.01, 0.5, 0.99
# A nearly blank picture's noise must not be stretched to look like ink.
_RANGE_LEAST_GREYS = 10.0
_CLIP = 2.0
_WIDTH_STEP_PIXELS = 8


def prepare(pixels: Pixels, stretch: float = 1.0) -> Prepared:
    """Resize a picture to the network's height (and `stretch` times its own aspect) and normalise it."""
    return normalise(resize(pixels, stretch))


def resize(pixels: Pixels, stretch: float = 1.0) -> Pixels:
    """Resize a picture to the network's height."""
    height, width = pixels.shape
    wanted = round(width * HEIGHT_PIXELS * stretch / height)
    bounded = min(max(wanted, WIDTH_LEAST_PIXELS), WIDTH_LIMIT_PIXELS)
    resized = Image.fromarray(pixels).resize((bounded, HEIGHT_PIXELS), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8)


def normalise(pixels: Pixels) -> Prepared:
    """Set the ground to 0 and the ink to about 1, whichever of them is darker."""
    counts = np.bincount(pixels.ravel(), minlength=_GREYS).cumsum()
    low, middle, high = (float(np.searchsorted(counts, share * pixels.size)) for share in _SHARES)
    down, up = middle - low, high - middle
    scale = max(down, up, _RANGE_LEAST_GREYS) * (1.0 if up > down else -1.0)
    values = (pixels.astype(np.float32) - np.float32(middle)) / np.float32(scale)
    return np.asarray(np.clip(values, -_CLIP, _CLIP), dtype=np.float32)


def stack(pictures: Sequence[Prepared]) -> NDArray[np.float32]:
    """Stack pictures in one array (batch, 1, 48, width), padded with ground on the right."""
    widest = max(picture.shape[1] for picture in pictures)
    width = -(-widest // _WIDTH_STEP_PIXELS) * _WIDTH_STEP_PIXELS
    stacked = np.zeros((len(pictures), 1, HEIGHT_PIXELS, width), dtype=np.float32)
    for number, picture in enumerate(pictures):
        stacked[number, 0, :, : picture.shape[1]] = picture
    return stacked


_SHARES = (_LOW_SHARE, _MIDDLE_SHARE, _HIGH_SHARE)
