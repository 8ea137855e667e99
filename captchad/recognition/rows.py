"""Finds two rows of letters in one picture, and lays the second behind the first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.recognition.flattening import Pixels
from captchad.recognition.ink import InkMask

# All shares of the picture's height, unless said otherwise.
_VALLEY_FROM, _VALLEY_TO = 0.3, 0.7
_BAND_LEAST = 0.16
# A ratio of the bands' heights, and a share of their mean ink: a line may cross the valley.
_BANDS_RATIO, _VALLEY_INK = 1.7, 0.12
_VALLEY_LEAST_ROWS = 2
# Of the fullest row's ink.
_FILLED = 0.35
# More is no letters on a ground, but a pattern.
_INK_LIMIT = 0.4
# In heights of the band: what two letters take, and what is kept around them.
_LEAST_WIDTHS, _MARGIN = 1.2, 0.25


@dataclass(frozen=True, slots=True)
class _Band:
    """Where a row of letters lies; ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top


def lay_rows_in_line(pixels: Pixels, ink: InkMask) -> Pixels | None:
    """Return both rows of a picture side by side; None where there are not just two, one above the other.

    `ink` is that of the whole picture, at any size.
    """
    bands = _find_bands(ink)
    if bands is None:
        return None
    scale = pixels.shape[0] / ink.shape[0], pixels.shape[1] / ink.shape[1]
    rows = [_cut(pixels, band, scale) for band in bands]
    height = max(row.shape[0] for row in rows)
    return np.concatenate([_scale(row, height) for row in rows], axis=1)


def _find_bands(ink: InkMask) -> tuple[_Band, _Band] | None:
    height = len(ink)
    profile = ink.sum(axis=1)
    middle = slice(round(_VALLEY_FROM * height), round(_VALLEY_TO * height))
    emptiest = middle.start + np.flatnonzero(profile[middle] == profile[middle].min())
    # The middle of the valley, where it is wide.
    valley = int(emptiest[len(emptiest) // 2])
    upper, lower = _find_band(ink[:valley], 0, height), _find_band(ink[valley:], valley, height)
    if upper is None or lower is None or ink.mean() > _INK_LIMIT:
        return None
    if max(upper.height, lower.height) > _BANDS_RATIO * min(upper.height, lower.height):
        return None
    limit = _VALLEY_INK * min(_fill(profile, upper), _fill(profile, lower))
    is_empty = profile <= limit
    # A pattern has more valleys than one.
    is_cut = any(is_empty[band.top : band.bottom].any() for band in (upper, lower))
    is_parted = np.count_nonzero(is_empty[upper.bottom : lower.top]) >= _VALLEY_LEAST_ROWS
    return (upper, lower) if is_parted and not is_cut else None


def _fill(profile: NDArray[np.integer], band: _Band) -> float:
    return float(profile[band.top : band.bottom].mean())


def _find_band(ink: InkMask, top: int, height: int) -> _Band | None:
    profile = ink.sum(axis=1)
    rows = np.flatnonzero(profile >= max(1.0, _FILLED * float(profile.max(initial=0))))
    if len(rows) == 0 or rows[-1] + 1 - rows[0] < _BAND_LEAST * height:
        return None
    first, last = int(rows[0]), int(rows[-1])
    columns = np.flatnonzero(ink[first : last + 1].sum(axis=0) > 1)
    band = _Band(top + first, top + last + 1, int(columns[0]), int(columns[-1]) + 1) if len(columns) else None
    return band if band is not None and band.right - band.left >= _LEAST_WIDTHS * band.height else None


def _cut(pixels: Pixels, band: _Band, scale: tuple[float, float]) -> Pixels:
    down, across = scale
    margin = _MARGIN * band.height
    rows = slice(max(0, round((band.top - margin) * down)), round((band.bottom + margin) * down))
    columns = slice(max(0, round((band.left - margin) * across)), round((band.right + margin) * across))
    return pixels[rows, columns]


def _scale(row: Pixels, height: int) -> Pixels:
    if row.shape[0] == height:
        return row
    width = max(1, round(row.shape[1] * height / row.shape[0]))
    return np.asarray(Image.fromarray(row).resize((width, height), Image.Resampling.BILINEAR), dtype=np.uint8)
