"""Lays a picture of any mode on a page, in its colours, and makes grey of it so that what a person sees stays there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
"""A picture's pixels, 0 dark to 255 light: grey of shape (height, width), or coloured, (height, width, 3)."""

WHITE, BLACK = 255, 0
LEVELS = 256
_BITS_16_TO_8 = 8
_COLOUR_DIMENSIONS = 3
_GREY_MODES = frozenset({"1", "L"})
_LAYERED_MODES = frozenset({"LA", "PA", "RGBA", "La", "RGBa"})
# Only where one plane shows far more than the brightness does.
_COLOUR_CONTRAST_FACTOR = 4.0
_COLOUR_CONTRAST_LIMIT = 8.0
_DARK_PAGE_FACTOR = 3.0


@dataclass(frozen=True, slots=True)
class Flattened:
    """A picture laid on a white and on a black page; the same pixels twice where it lets neither through."""

    on_white: Pixels
    on_black: Pixels

    @property
    def is_clearer_on_black(self) -> bool:
        """Whether it was drawn for a dark page: white text on nothing is seen there only."""
        if self.on_black is self.on_white:
            return False
        return measure_contrast(self.on_black) > _DARK_PAGE_FACTOR * measure_contrast(self.on_white)


def flatten(image: Image.Image) -> Flattened:
    """Lay one picture, loaded already, on a page; grey modes stay grey, all others have colours."""
    if image.mode.startswith("I"):
        only = _narrow_16_bits(np.asarray(image), image.info.get("transparency"))
        return Flattened(only, only)
    if image.mode in _LAYERED_MODES or "transparency" in image.info:
        layers = image.convert("RGBA")
        lowest_alpha, _ = layers.getchannel("A").getextrema()
        # An alpha channel that hides nothing needs no page behind it.
        if lowest_alpha != WHITE:
            return Flattened(_lay_on(layers, WHITE), _lay_on(layers, BLACK))
        image = layers
    only = np.asarray(image.convert("L" if image.mode in _GREY_MODES else "RGB"))
    return Flattened(only, only)


def has_colours(pixels: Pixels) -> bool:
    """Whether the pixels are coloured."""
    return pixels.ndim == _COLOUR_DIMENSIONS


def to_colours(pixels: Pixels) -> Pixels:
    """Return coloured pixels, made of grey ones where need be."""
    return pixels if has_colours(pixels) else np.repeat(pixels[:, :, None], _COLOUR_DIMENSIONS, axis=2)


def drop_false_colours(pixels: Pixels) -> Pixels:
    """Return grey pixels where all colours are greys."""
    if has_colours(pixels) and not np.ptp(pixels, axis=2).any():
        return np.ascontiguousarray(pixels[:, :, 0])
    return pixels


def to_grey(pixels: Pixels) -> Pixels:
    """Return the brightness, or one colour plane where text such as red on green would vanish in it."""
    if not has_colours(pixels):
        return pixels
    colours = Image.fromarray(pixels)
    grey = colours.convert("L")
    planes = colours.split()
    contrasts = [_spread(np.asarray(plane.histogram())) for plane in planes]
    strongest = max(contrasts)
    if strongest < max(_COLOUR_CONTRAST_LIMIT, _COLOUR_CONTRAST_FACTOR * _spread(np.asarray(grey.histogram()))):
        return np.asarray(grey)
    return np.asarray(planes[contrasts.index(strongest)])


def measure_contrast(pixels: Pixels) -> float:
    """Return the standard deviation of the brightness, 0 to 127.5."""
    return _spread(np.bincount(to_grey(pixels).ravel(), minlength=LEVELS))


def _spread(histogram: NDArray[np.integer]) -> float:
    levels, count = np.arange(LEVELS, dtype=np.float64), max(1, int(histogram.sum()))
    mean = float(histogram @ levels) / count
    return float(np.sqrt(float(histogram @ (levels - mean) ** 2) / count))


def _narrow_16_bits(pixels: NDArray[np.generic], transparent: object) -> Pixels:
    values = np.asarray(pixels).astype(np.int32)
    # Such a picture may hold 8-bit values all the same.
    narrowed = values >> _BITS_16_TO_8 if values.max(initial=0) > WHITE else values
    grey: Pixels = narrowed.clip(BLACK, WHITE).astype(np.uint8)
    if isinstance(transparent, int):
        grey[values == transparent] = WHITE
    return grey


def _lay_on(layers: Image.Image, brightness: int) -> Pixels:
    page = Image.new("RGBA", layers.size, (brightness, brightness, brightness, WHITE))
    return np.asarray(Image.alpha_composite(page, layers).convert("RGB"))
