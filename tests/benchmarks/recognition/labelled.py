"""A picture of the run as engines' processes are handed it; light, for it counts in their memory."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import digits

import numpy as np
from numpy.typing import NDArray

from captchad.domain.recognition import Hints

ARITHMETIC_CHARSET = digits + "+-×÷/*=?"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture, what it shows, and what a site's owner could tell of it."""

    pixels: NDArray[np.uint8]
    truth: str
    family: str
    hints: Hints


def keep_pictures(pictures: Sequence[LabelledPicture], path: Path) -> None:
    """Write the pictures for the engines' processes."""
    path.write_bytes(pickle.dumps(list(pictures)))


def fetch_pictures(path: Path) -> list[LabelledPicture]:
    """Read what `keep_pictures` wrote."""
    pictures: list[LabelledPicture] = pickle.loads(path.read_bytes())
    return pictures
