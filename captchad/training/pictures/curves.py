"""Curves as points to draw a line through."""

import math
from collections.abc import Sequence

import numpy as np

Point = tuple[float, float]


def bend_between(corners: Sequence[Point], count: int = 32) -> list[Point]:
    """Return the points of a Bézier curve of three or four corners."""
    share = np.linspace(0, 1, count)[:, None]
    degree = len(corners) - 1
    weights = np.hstack(
        [math.comb(degree, number) * share**number * (1 - share) ** (degree - number) for number in range(degree + 1)]
    )
    return [(float(across), float(down)) for across, down in weights @ np.array(corners)]
