"""Keeps the letters of one colour in a picture, and paints all else as ground.

A stroke's edge mixes its colour with the ground's, so an ink is a direction from the ground in CIE Lab, not a colour.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from captchad.domain.colour import Rgb
from captchad.recognition.flattening import Pixels, to_colours
from captchad.recognition.preparation import to_lab

Mask = NDArray[np.bool_]
Values = NDArray[np.float32]
Number = TypeVar("Number", np.float32, np.intp)

# Larger ones are shrunk: letters of that height have all that reading needs.
_HEIGHT_LIMIT_PIXELS = 160
# One colour's letters vary in lightness more than in hue.
_LIGHTNESS_WEIGHT = 0.5
_STRONG_SHARE, _WEAK_SHARE = 0.3, 0.12
_STRONG_LEAST, _WEAK_LEAST = 12.0, 6.0
_HIGH_SHARE = 0.99
_SAMPLE_PIXELS = 1500
_INKS_LIMIT = 10
_INK_LEAST_SHARE = 0.02
# In degrees between directions.
_INK_CORE, _INK_REACH = 12.0, 18.0
_SAME_COLOUR, _COLOUR_REACH = 12.0, 40.0
_PLAIN_REACH, _PLAIN_GAP = 20.0, 15.0
_LETTER_LEAST_SHARE = 0.05
_DOUBT_LEAST = 0.3
_MAJORITY = 5
# Of a direction's part that is lightness: beyond it, the colour is a grey.
_ACHROMATIC = 0.95
_ONE_LIGHTNESS = 0.7
_STROKE_PIXELS = 5
_GAP_HEIGHTS = 0.12


@dataclass(frozen=True, slots=True)
class ChosenLetters:
    """A picture with the letters of one colour alone; `certainty` (0..1) is less where another ink is near it."""

    pixels: Pixels
    certainty: float


def choose_letters(pixels: Pixels, colour: Rgb) -> ChosenLetters:
    """Keep the letters of a colour; a blank picture, with certainty 0, where there are none."""
    picture = _shrink(to_colours(pixels))
    ground = np.median(picture.reshape(-1, 3), axis=0).astype(np.uint8)
    strengths, directions = _measure(picture, ground)
    wanted = _measure(np.array([[colour]], dtype=np.uint8), ground)
    scale = float(np.quantile(strengths, _HIGH_SHARE))
    is_strong = strengths > max(_STRONG_SHARE * scale, _STRONG_LEAST)
    is_weak = ~is_strong & (strengths > max(_WEAK_SHARE * scale, _WEAK_LEAST))
    blank = ChosenLetters(np.broadcast_to(ground, picture.shape).copy(), 0.0)
    if not is_strong.any() or float(wanted[0][0, 0]) < _STRONG_LEAST:
        return blank
    inks, shares = _find_inks(directions[is_strong], strengths[is_strong])
    angles = _find_angles(inks, wanted[1][0])[:, 0]
    # Lines, and the mixed edges where two letters touch, have little share in the ink.
    nearest = int(np.where(shares >= min(_LETTER_LEAST_SHARE, shares.max()), angles, np.inf).argmin())
    if angles[nearest] > _COLOUR_REACH:
        return blank
    is_chosen = _find_angles(inks, inks[nearest, None])[:, 0] <= _SAME_COLOUR
    is_wanted = np.zeros(strengths.shape, dtype=bool)
    is_wanted[is_strong] = is_chosen[np.argmax(directions[is_strong] @ inks.T, axis=1)]
    if abs(wanted[1][0, 0, 0]) > _ACHROMATIC:
        is_wanted &= _choose_lightness(is_wanted, strengths, float(wanted[0][0, 0]))
    kept = _spread(is_wanted, is_strong & ~is_wanted, is_weak)
    painted = np.where(kept[:, :, None], picture, ground)
    closed = _close_gaps(painted, kept, is_strong & ~kept, ground)
    return ChosenLetters(closed, _find_certainty(angles, shares, is_chosen))


def _shrink(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if height <= _HEIGHT_LIMIT_PIXELS:
        return pixels
    size = (max(1, round(width * _HEIGHT_LIMIT_PIXELS / height)), _HEIGHT_LIMIT_PIXELS)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR), dtype=np.uint8)


def _measure(picture: Pixels, ground: Pixels) -> tuple[Values, Values]:
    """Return each pixel's distance from the ground, and its direction from there as a unit vector."""
    differences = (to_lab(picture) - to_lab(ground[None, None])).T.reshape(*picture.shape[:2], 3)
    strengths = np.linalg.norm(differences, axis=2)
    differences[:, :, 0] *= _LIGHTNESS_WEIGHT
    # JPEG smears colours; the ground around a stroke adds nothing to its direction.
    differences = np.asarray(_sum_around(differences), dtype=np.float32)
    lengths = np.linalg.norm(differences, axis=2, keepdims=True)
    return strengths, np.asarray(differences / np.maximum(lengths, 1e-6), dtype=np.float32)


def _find_inks(directions: Values, strengths: Values) -> tuple[Values, Values]:
    """Return the directions that most pixels share, the commonest first, and each one's share of the ink."""
    step = -(-len(directions) // _SAMPLE_PIXELS)
    sample, left = directions[::step], strengths[::step].copy()
    total = float(left.sum())
    likeness = sample @ sample.T
    inks: list[Values] = []
    shares: list[float] = []
    while len(inks) < _INKS_LIMIT:
        support = (likeness > np.cos(np.radians(_INK_CORE))) @ left
        best = int(support.argmax())
        is_near = (likeness[best] > np.cos(np.radians(_INK_REACH))) & (left > 0)
        share = float(left[is_near].sum()) / total
        if inks and share < _INK_LEAST_SHARE:
            break
        centre = (sample[is_near] * left[is_near, None]).sum(axis=0)
        inks.append(centre / np.linalg.norm(centre))
        shares.append(share)
        left[is_near] = 0
        if not left.any():
            break
    return np.array(inks, dtype=np.float32), np.array(shares, dtype=np.float32)


def _choose_lightness(is_ink: Mask, strengths: Values, wanted: float) -> Mask:
    """Choose between black and grey letters, which lie in one direction from the ground; all if there is one kind."""
    inked = Image.fromarray(np.where(is_ink, np.clip(strengths, 0, 255), 0).astype(np.uint8))
    # The darkest pixel of a stroke says of what kind it is, its edges do not.
    darkest = np.asarray(inked.filter(ImageFilter.MaxFilter(_STROKE_PIXELS)), dtype=np.float32)
    values = darkest[is_ink]
    border = float(values.min() + values.max()) / 2
    strong, faint = values[values >= border], values[values < border]
    if not faint.size or float(np.median(faint)) > _ONE_LIGHTNESS * float(np.median(strong)):
        return is_ink
    takes_strong = abs(float(np.median(strong)) - wanted) <= abs(float(np.median(faint)) - wanted)
    return np.asarray((darkest >= border) == takes_strong)


def _find_angles(one: Values, others: Values) -> Values:
    return np.asarray(np.degrees(np.arccos(np.clip(one @ others.T, -1, 1))), dtype=np.float32)


def _find_certainty(angles: Values, shares: Values, is_chosen: Mask) -> float:
    """Say how plainly the chosen inks are of the colour, and all others of another one."""
    nearest, farthest = float(angles[is_chosen].min()), float(angles[is_chosen].max())
    rivals = angles[~is_chosen & (shares >= _LETTER_LEAST_SHARE)]
    gap = float(rivals.min()) - farthest if rivals.size else _PLAIN_GAP
    likeness = (_COLOUR_REACH - nearest) / (_COLOUR_REACH - _PLAIN_REACH)
    return max(_DOUBT_LEAST, min(1.0, likeness) * min(1.0, gap / _PLAIN_GAP))


def _spread(is_wanted: Mask, is_other: Mask, is_weak: Mask) -> Mask:
    """Add the faint edges of the wanted letters, and what another ink has drawn across their strokes."""
    wanted, other = _count_around(is_wanted), _count_around(is_other)
    is_edge = is_weak & (wanted > 0) & (wanted >= other)
    is_crossed = is_other & (wanted >= _MAJORITY)
    return is_wanted | is_edge | is_crossed


def _count_around(mask: Mask) -> NDArray[np.intp]:
    return np.asarray(_sum_around(mask.astype(np.intp)))


def _sum_around(values: NDArray[Number]) -> NDArray[Number]:
    """Return for each pixel the sum of its own and its neighbours' values."""
    height, width = values.shape[:2]
    padded = np.pad(values, ((1, 1), (1, 1), *[(0, 0)] * (values.ndim - 2)))
    return np.asarray(
        sum(padded[row : row + height, column : column + width] for row in range(3) for column in range(3))
    )


def _close_gaps(painted: Pixels, kept: Mask, is_removed: Mask, ground: Pixels) -> Pixels:
    """Move the kept letters together where others stood between them: such a gap is no space."""
    spare = max(2, round(_GAP_HEIGHTS * len(painted)))
    is_empty = np.logical_not(np.asarray(kept.any(axis=0)))
    columns = np.flatnonzero(~is_empty)
    if not len(columns):
        return painted
    distance = np.abs(np.arange(len(is_empty))[:, None] - columns).min(axis=1)
    is_dropped = is_empty & (distance > spare // 2) & _lies_in_removed(is_empty, np.asarray(is_removed.any(axis=0)))
    left = painted[:, ~is_dropped]
    filled = np.broadcast_to(ground, (len(painted), int(is_dropped.sum()), 3))
    return np.ascontiguousarray(np.concatenate((left, filled), axis=1))


def _lies_in_removed(is_empty: Mask, is_removed: Mask) -> Mask:
    """Say of each empty column whether its run of empty columns had ink that was removed."""
    runs = np.cumsum(np.diff(is_empty.astype(np.int8), prepend=0) != 0)
    had_ink = np.bincount(runs, weights=is_removed) > 0
    return np.asarray(had_ink[runs])
