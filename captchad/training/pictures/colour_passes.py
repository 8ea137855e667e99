"""Draws in colours what knows greys alone: three times by the same random numbers, once for each plane.

Who draws asks `mix_grey` and `choose_greys` for greys; of a source that stands for one plane they get that plane's
share of a colour. All else is drawn alike, so that the three planes fit on each other.
"""

import random
from collections.abc import Callable

import numpy as np

from captchad.recognition.flattening import Pixels
from captchad.training.pictures.colours import Colour, Palette, draw_palette, draw_vivid
from captchad.training.pictures.planes import Numbers

_GREY_CHANCE, _VIVID_CHANCE, _PALETTE_CHANCE = 0.25, 0.5, 0.8
_SEED_BITS = 64
_INK_MOST = 170


class PlaneSource(random.Random):
    """A source of random numbers for one plane of a picture's colours."""

    plane: int
    vivid: tuple[Colour, ...]
    palette: Palette | None

    def choose(self, mixed: Colour, most: float) -> float:
        """Return the plane's share of a mixed colour; in some pictures dark colours are vivid ones instead."""
        if self.vivid and most <= _INK_MOST:
            mixed = self.vivid[int(mixed[0] * 997) % len(self.vivid)]
        return mixed[self.plane]


def draw_passes(draw: Callable[[random.Random], Numbers], source: random.Random) -> Pixels:
    """Draw a picture in colours, now and then in grey; grey too where the colours change what is drawn."""
    seed = source.getrandbits(_SEED_BITS)
    if source.random() < _GREY_CHANCE:
        return _narrow(draw(random.Random(seed)))
    vivid = (
        tuple(draw_vivid(source) for _ in range(source.choice((1, 2, 4)))) if _happens(source, _VIVID_CHANCE) else ()
    )
    palette = draw_palette(source, 1) if _happens(source, _PALETTE_CHANCE) else None
    sources = [_open_plane(seed, plane, vivid, palette) for plane in range(3)]
    planes = [draw(plane) for plane in sources]
    if len({plane.getstate() for plane in sources}) > 1 or len({plane.shape for plane in planes}) > 1:
        return _narrow(planes[1])
    return _narrow(np.stack(planes, axis=2))


def _open_plane(seed: int, plane: int, vivid: tuple[Colour, ...], palette: Palette | None) -> PlaneSource:
    source = PlaneSource(seed)
    source.plane, source.vivid, source.palette = plane, vivid, palette
    return source


def _happens(source: random.Random, chance: float) -> bool:
    return source.random() < chance


def _narrow(picture: Numbers) -> Pixels:
    return picture.clip(0, 255).astype(np.uint8)
