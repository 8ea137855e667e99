"""Compares a reading with the ink it was read from: parts that no symbol explains, and the gaps between symbols."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.ink import InkMask, Parts

# In median heights, densities and pitches of the letters that were read.
_LETTER_HEIGHT, _LETTER_HEIGHT_LIMIT = 0.6, 1.6
# Less is a piece of a letter.
_LETTER_DENSITY, _LETTER_AREA = 0.5, 0.6
_LETTER_WIDTH_LIMIT = 1.8
# Of the highest part that was read.
_LETTER_LEAST = 0.5
_NEAR_PITCHES = 0.5
_OUTSIDE_HEIGHTS = 0.3
_SINGLE_PITCH_HEIGHTS = 0.7


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the symbols of a reading are, in pixels of the ink: their centres, and the letters' height and pitch."""

    centres: tuple[float, ...]
    top: float
    bottom: float
    pitch: float
    density: float
    area: float

    @property
    def height(self) -> float:
        """Return how high a letter is."""
        return self.bottom - self.top


def find_layout(centres: Sequence[float], parts: Parts) -> Layout | None:
    """Measure the letters that were read; None where none of them is a part of its own."""
    is_held = _covers(parts, centres)
    if not is_held.any():
        return None
    letters = is_held & (parts.height >= _LETTER_LEAST * parts.height[is_held].max())
    pitches = np.diff(centres)
    top, bottom = float(np.median(parts.top[letters])), float(np.median(parts.bottom[letters]))
    return Layout(
        tuple(centres),
        top,
        bottom,
        float(np.median(pitches)) if len(pitches) else _SINGLE_PITCH_HEIGHTS * (bottom - top),
        float(np.median(_density(parts)[letters])),
        float(np.median(parts.area[letters])),
    )


def count_unexplained(layout: Layout, parts: Parts, ink: InkMask) -> int:
    """Count the parts that look like letters beside or between those that were read."""
    height = layout.height
    centre = (parts.left + parts.right) / 2
    distance = np.abs(centre[:, None] - np.array(layout.centres)).min(axis=1)
    covers = _covers(parts, layout.centres)
    is_letter = (
        (parts.height >= _LETTER_HEIGHT * height)
        & (parts.height <= _LETTER_HEIGHT_LIMIT * height)
        & (parts.width <= _LETTER_WIDTH_LIMIT * height)
        & (_density(parts) >= _LETTER_DENSITY * layout.density)
        & (parts.area >= _LETTER_AREA * layout.area)
        & (parts.top >= layout.top - _OUTSIDE_HEIGHTS * height)
        & (parts.bottom <= layout.bottom + _OUTSIDE_HEIGHTS * height)
        & (parts.left > 0)
        & (parts.right < ink.shape[1])
    )
    return int((is_letter & ~covers & (distance > _NEAR_PITCHES * layout.pitch)).sum())


def _covers(parts: Parts, centres: Sequence[float]) -> NDArray[np.bool_]:
    """Say of each part whether the centre of a symbol lies in it."""
    places = np.array(centres)
    return np.asarray(((parts.left[:, None] <= places) & (parts.right[:, None] > places)).any(axis=1))


def _density(parts: Parts) -> NDArray[np.float64]:
    """Return about half the width of a part's stroke."""
    return np.asarray(parts.area / (parts.width + parts.height))
