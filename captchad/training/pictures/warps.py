"""Bends pictures: waves, swells, swirls, perspective and random pulling, as one field of displacements."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from captchad.training.pictures.planes import Numbers, seed_numbers


@dataclass(slots=True)
class Field:
    """For each pixel of a picture the place it takes its grey from."""

    across: Numbers
    down: Numbers


Warp = Callable[[Field, random.Random, float], None]


def begin_field(shape: tuple[int, ...]) -> Field:
    """Return the field that leaves every pixel where it is."""
    height, width = shape
    return Field(*np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))


def draw_field(source: random.Random, shape: tuple[int, ...], strength: float) -> Field:
    """Draw a field of one or two warps; strength 1 is as bent as captchas get."""
    field = begin_field(shape)
    chosen = source.choices(list(WARPS), list(WARPS.values()), k=source.choice((1, 1, 2)))
    for warp in dict.fromkeys(chosen):
        warp(field, source, strength)
    return field


def bend(planes: Sequence[Numbers], field: Field, fills: Sequence[float]) -> list[Numbers]:
    """Take every plane's values from the field's places, in between by bilinear weights; `fills` outside."""
    height, width = planes[0].shape
    # One pixel of frame, so that all beyond the edge is fill without a test for each pixel.
    across = np.clip(field.across + 1, 0, width + 0.999).astype(np.float32)
    down = np.clip(field.down + 1, 0, height + 0.999).astype(np.float32)
    left, above = across.astype(np.int32), down.astype(np.int32)
    right_share, below_share = across - left, down - above
    first = above * (width + 2) + left
    bent = []
    for plane, fill in zip(planes, fills, strict=True):
        framed = np.full((height + 2, width + 2), fill, dtype=np.float32)
        framed[1:-1, 1:-1] = plane
        flat = framed.ravel()
        upper = flat[first] * (1 - right_share) + flat.take(first + 1, mode="clip") * right_share
        lower_start = first + (width + 2)
        lower = (
            flat.take(lower_start, mode="clip") * (1 - right_share)
            + flat.take(lower_start + 1, mode="clip") * right_share
        )
        bent.append(upper * (1 - below_share) + lower * below_share)
    return bent


def _wave_down(field: Field, source: random.Random, strength: float) -> None:
    height, _ = field.down.shape
    size = strength * height * source.uniform(0.04, 0.13)
    length = height * source.uniform(0.8, 4)
    field.down += size * np.sin(field.across * (math.tau / length) + source.uniform(0, math.tau))


def _wave_across(field: Field, source: random.Random, strength: float) -> None:
    height, _ = field.down.shape
    size = strength * height * source.uniform(0.04, 0.14)
    length = height * source.uniform(0.7, 2.5)
    field.across += size * np.sin(field.down * (math.tau / length) + source.uniform(0, math.tau))


def _ripple(field: Field, source: random.Random, strength: float) -> None:
    height, _ = field.down.shape
    size = strength * height * source.uniform(0.01, 0.03)
    length = height * source.uniform(0.12, 0.3)
    wave = size * np.sin((field.down if source.random() < 0.5 else field.across) * (math.tau / length))
    if source.random() < 0.5:
        field.across += wave
    else:
        field.down += wave


def _pull(field: Field, source: random.Random, strength: float) -> None:
    height, width = field.down.shape
    cell = height * source.uniform(0.25, 0.6)
    shape = (max(2, round(height / cell) + 1), max(2, round(width / cell) + 1))
    numbers = seed_numbers(source)
    size = strength * cell * source.uniform(0.1, 0.3)
    pulls = []
    for _ in range(2):
        coarse = numbers.uniform(-size, size, shape).astype(np.float32)
        pulls.append(np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)))
    field.across += pulls[0]
    field.down += pulls[1]


def _swirl(field: Field, source: random.Random, strength: float) -> None:
    height, width = field.down.shape
    centre_across = width * source.uniform(0.3, 0.7)
    centre_down = height * source.uniform(0.3, 0.7)
    east, south = field.across - centre_across, field.down - centre_down
    reach = height * source.uniform(0.6, 1.2)
    near = np.exp(-(east**2 + south**2) / reach**2)
    if source.random() < 0.5:
        angle = near * (strength * source.uniform(-0.7, 0.7))
        field.across += east * (np.cos(angle) - 1) - south * np.sin(angle)
        field.down += east * np.sin(angle) + south * (np.cos(angle) - 1)
    else:
        swell = near * (strength * source.choice((-1, 1)) * source.uniform(0.15, 0.4))
        field.across += east * swell
        field.down += south * swell


def _tilt(field: Field, source: random.Random, strength: float) -> None:
    height, width = field.down.shape
    angle = strength * source.uniform(-0.5, 0.5) * min(0.5, height / width)
    shear = strength * source.uniform(-0.45, 0.45)
    east, south = field.across - width / 2, field.down - height / 2
    field.down += np.float32(math.sin(angle)) * east
    field.across += np.float32(shear) * south


def _see_aslant(field: Field, source: random.Random, strength: float) -> None:
    height, width = field.down.shape
    east, south = (field.across / width - 0.5), (field.down / height - 0.5)
    depth = 1 + strength * (source.uniform(-0.5, 0.5) * east + source.uniform(-0.4, 0.4) * south)
    field.across += width * (east / depth - east)
    field.down += height * (south / depth - south)


def _arch(field: Field, source: random.Random, strength: float) -> None:
    height, width = field.down.shape
    rise = strength * source.choice((-1, 1)) * height * source.uniform(0.1, 0.3)
    field.down += rise * ((2 * field.across / width - 1) ** 2 - 0.5)


WARPS: dict[Warp, int] = {
    _wave_down: 4,
    _wave_across: 4,
    _ripple: 2,
    _pull: 5,
    _swirl: 2,
    _tilt: 3,
    _see_aslant: 2,
    _arch: 2,
}
"""The warps, each with its weight."""
