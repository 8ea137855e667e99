"""Bends with known measures: waves, rings of water, a fish's eye, sheared rows, swirls, uneven pulling."""

import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image

from captchad.training.pictures.design_rows import Written
from captchad.training.pictures.planes import Numbers, seed_numbers
from captchad.training.pictures.warps import Field, begin_field, bend

Bend = Callable[[Field, random.Random], None]


def bend_picture(picture: Numbers, fill: float, source: random.Random, *bends: Bend) -> Numbers:
    """Bend a whole picture; `fill` is what comes in from outside."""
    [bent] = bend([picture], _draw_field(picture.shape, source, bends), [fill])
    return bent


def bend_written(written: Written, source: random.Random, *bends: Bend) -> Written:
    """Bend letters alone."""
    field = _draw_field(written.cover.shape, source, bends)
    cover, grey = bend([written.cover, written.grey], field, [0.0, float(written.grey.mean())])
    return Written(cover, grey)


def _draw_field(shape: tuple[int, ...], source: random.Random, bends: tuple[Bend, ...]) -> Field:
    field = begin_field(shape)
    for change in bends:
        change(field, source)
    return field


def wave_down(size_share: float, length_share: float) -> Bend:
    """Make columns go up and down: by a share of the height, over a length in heights."""

    def change(field: Field, source: random.Random) -> None:
        height = field.down.shape[0]
        phase = source.uniform(0, math.tau)
        field.down += height * size_share * np.sin(field.across * (math.tau / (height * length_share)) + phase)

    return change


def wave_across(size_share: float, length_share: float) -> Bend:
    """Make rows go to and fro: by a share of the height, over a length in heights."""

    def change(field: Field, source: random.Random) -> None:
        height = field.down.shape[0]
        phase = source.uniform(0, math.tau)
        field.across += height * size_share * np.sin(field.down * (math.tau / (height * length_share)) + phase)

    return change


def ring(size_share: float, length_share: float) -> Bend:
    """Move everything to and from a point, as rings on water do."""

    def change(field: Field, source: random.Random) -> None:
        height, width = field.down.shape
        east = field.across - width * source.uniform(0.2, 0.8)
        south = field.down - height * source.uniform(0.2, 0.8)
        distance = np.sqrt(east**2 + south**2) + 1
        swing = height * size_share * np.sin(distance * (math.tau / (height * length_share))) / distance
        field.across += east * swing
        field.down += south * swing

    return change


def fish_eye(strength: float) -> Bend:
    """Swell what is near a point."""

    def change(field: Field, source: random.Random) -> None:
        height, width = field.down.shape
        east = field.across - width * source.uniform(0.25, 0.75)
        south = field.down - height / 2
        near = np.clip(1 - (east**2 + south**2) / (0.9 * height) ** 2, 0, 1)
        field.across -= east * near * strength
        field.down -= south * near * strength

    return change


def swirl(most_radians: float) -> Bend:
    """Turn what is near a point."""

    def change(field: Field, source: random.Random) -> None:
        height, width = field.down.shape
        east = field.across - width * source.uniform(0.3, 0.7)
        south = field.down - height * source.uniform(0.4, 0.6)
        angle = np.exp(-(east**2 + south**2) / height**2) * source.choice((-1, 1)) * most_radians
        field.across += east * (np.cos(angle) - 1) - south * np.sin(angle)
        field.down += east * np.sin(angle) + south * (np.cos(angle) - 1)

    return change


def pull(size_share: float, cell_share: float) -> Bend:
    """Pull every place somewhere else, by a share of the height at most; near places alike."""

    def change(field: Field, source: random.Random) -> None:
        height, width = field.down.shape
        cell = height * cell_share
        shape = (max(2, round(height / cell) + 1), max(2, round(width / cell) + 1))
        numbers = seed_numbers(source)
        pulls = []
        for _ in range(2):
            coarse = numbers.uniform(-1, 1, shape).astype(np.float32) * np.float32(height * size_share)
            pulls.append(np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)))
        field.across += pulls[0]
        field.down += pulls[1]

    return change


def arch(rise_share: float) -> Bend:
    """Lift the middle above the ends, by a share of the height; lower it where the share is negative."""

    def change(field: Field, _source: random.Random) -> None:
        height, width = field.down.shape
        field.down += height * rise_share * (0.5 - (2 * field.across / width - 1) ** 2)

    return change


def slant(most: float) -> Bend:
    """Shift rows in proportion to their place."""

    def change(field: Field, source: random.Random) -> None:
        field.across += (field.down - field.down.shape[0] / 2) * source.uniform(-most, most)

    return change
