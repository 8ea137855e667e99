"""Prepares pictures of any size for a network, in training and in service: one height, ground 0, ink about 1.

A network takes one plane, the brightness, or four: the brightness, how far each pixel's colour is from the ground's,
and that colour's two differences from the ground's without the brightness.
"""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.recognition.flattening import Pixels, to_colours, to_grey

Float = TypeVar("Float", bound=np.floating)
Prepared = NDArray[np.float32]
"""A prepared picture, shape (planes, 48, width)."""

HEIGHT_PIXELS = 48
"""48 rows keep the thin strokes of 60 to 80 pixel pictures, which 32 smear, at about half the work of 64."""

GREY_PLANES, COLOUR_PLANES = 1, 4
WIDTH_LEAST_PIXELS, WIDTH_LIMIT_PIXELS = 64, 640
NORMALISATION = "ground-median, ink-positive, 1st-to-99th percentile range, clipped to -2..2"

_GREYS = 256
# Percentiles rather than extremes: a few stray pixels must not set the scale. The median is the ground, since most of
# a captcha is.
_LOW_SHARE, _MIDDLE_SHARE, _HIGH_SHARE = 0.01, 0.5, 0.99
# A nearly blank picture's noise must not be stretched to look like ink.
_RANGE_LEAST_GREYS = 10.0
_DISTANCE_LEAST = 8.0
_CLIP = 2.0
_WIDTH_STEP_PIXELS = 8

# From linear sRGB to CIE XYZ, each divided by that of white (D65).
_TO_XYZ = np.array(
    [[0.433953, 0.376219, 0.189828], [0.212671, 0.715160, 0.072169], [0.017758, 0.109477, 0.872766]], dtype=np.float32
)
# From the cube roots of XYZ to CIE L*, a*, b*, but for a constant that no difference needs.
_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], dtype=np.float32)
_LINEAR_BELOW, _LINEAR_SLOPE, _OFFSET, _EXPONENT = 0.04045, 12.92, 0.055, 2.4
_ROOT_BELOW, _ROOT_SLOPE, _ROOT_OFFSET = 0.008856, 7.787, 16 / 116
# Looked up: a cube root for each pixel and colour would take longer than all the rest.
_ROOT_STEPS = 4096


def prepare(pixels: Pixels, stretch: float = 1.0, *, planes: int = GREY_PLANES) -> Prepared:
    """Resize a picture to the network's height (and `stretch` times its own aspect) and normalise it."""
    kept = to_grey(pixels) if planes == GREY_PLANES else pixels
    return normalise(resize(kept, stretch), planes)


def prepare_distance(pixels: Pixels, stretch: float = 1.0) -> Prepared:
    """Prepare a picture for a network of one plane by its colours: how far each pixel's is from the ground's."""
    return _normalise_colours(to_colours(resize(pixels, stretch)))[:GREY_PLANES]


def resize(pixels: Pixels, stretch: float = 1.0) -> Pixels:
    """Resize a picture to the network's height."""
    height, width = pixels.shape[:2]
    wanted = round(width * HEIGHT_PIXELS * stretch / height)
    bounded = min(max(wanted, WIDTH_LEAST_PIXELS), WIDTH_LIMIT_PIXELS)
    resized = Image.fromarray(pixels).resize((bounded, HEIGHT_PIXELS), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8)


def normalise(pixels: Pixels, planes: int = GREY_PLANES) -> Prepared:
    """Set the ground to 0 and the ink to about 1, whichever is darker; ValueError for another number of planes."""
    if planes == GREY_PLANES:
        return _normalise_brightness(to_grey(pixels))[None]
    if planes != COLOUR_PLANES:
        raise ValueError(f"a picture has {GREY_PLANES} or {COLOUR_PLANES} planes, not {planes}")
    colours = to_colours(pixels)
    brightness = _normalise_brightness(np.asarray(Image.fromarray(colours).convert("L")))
    return np.concatenate((brightness[None], _normalise_colours(colours)))


def stack(pictures: Sequence[NDArray[Float]]) -> NDArray[Float]:
    """Stack pictures in one array (batch, planes, 48, width), padded with ground on the right."""
    widest = max(picture.shape[2] for picture in pictures)
    width = -(-widest // _WIDTH_STEP_PIXELS) * _WIDTH_STEP_PIXELS
    stacked = np.zeros((len(pictures), len(pictures[0]), HEIGHT_PIXELS, width), dtype=pictures[0].dtype)
    for number, picture in enumerate(pictures):
        stacked[number, :, :, : picture.shape[2]] = picture
    return stacked


def _normalise_brightness(pixels: Pixels) -> Prepared:
    counts = np.bincount(pixels.ravel(), minlength=_GREYS).cumsum()
    low, middle, high = (float(np.searchsorted(counts, share * pixels.size)) for share in _SHARES)
    down, up = middle - low, high - middle
    scale = max(down, up, _RANGE_LEAST_GREYS) * (1.0 if up > down else -1.0)
    values = (pixels.astype(np.float32) - np.float32(middle)) / np.float32(scale)
    return np.asarray(np.clip(values, -_CLIP, _CLIP), dtype=np.float32)


def _normalise_colours(pixels: Pixels) -> Prepared:
    """Return the distance from the ground's colour, and the differences of a* and b*, all in one scale."""
    differences = to_lab(pixels)
    differences -= np.median(differences, axis=1, keepdims=True)
    distance = np.sqrt((differences**2).sum(axis=0))
    rank = int(_HIGH_SHARE * (distance.size - 1))
    scale = max(float(np.partition(distance, rank)[rank]), _DISTANCE_LEAST)
    differences[0] = distance
    values = (differences / np.float32(scale)).reshape(3, *pixels.shape[:2])
    return np.asarray(np.clip(values, -_CLIP, _CLIP), dtype=np.float32)


def to_lab(pixels: Pixels) -> NDArray[np.float32]:
    """Return CIE L*, a* and b* of coloured pixels, shape (3, pixels), each but for a constant."""
    linear_by_level, root_by_step = _make_tables()
    xyz = _TO_XYZ @ linear_by_level[pixels.reshape(-1, 3).T]
    return np.asarray(_TO_LAB @ root_by_step[(xyz * _ROOT_STEPS).astype(np.int32)], dtype=np.float32)


@cache
def _make_tables() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    levels = np.arange(_GREYS) / (_GREYS - 1)
    linear = np.where(
        levels <= _LINEAR_BELOW, levels / _LINEAR_SLOPE, ((levels + _OFFSET) / (1 + _OFFSET)) ** _EXPONENT
    )
    # White's rounding may reach a step beyond the last.
    steps = np.arange(_ROOT_STEPS + 2) / _ROOT_STEPS
    roots = np.where(steps > _ROOT_BELOW, np.cbrt(steps), steps * _ROOT_SLOPE + _ROOT_OFFSET)
    return linear.astype(np.float32), roots.astype(np.float32)


_SHARES = (_LOW_SHARE, _MIDDLE_SHARE, _HIGH_SHARE)
