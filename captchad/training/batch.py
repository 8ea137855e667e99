"""Prepared pictures of about one width, as the network takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from captchad.recognition.preparation import stack


@dataclass(frozen=True, slots=True)
class Batch:
    """Prepared pictures (batch, planes, 48, width) with their own widths, and their texts as symbol numbers."""

    number: int
    pictures: NDArray[np.floating]
    widths: tuple[int, ...]
    labels: tuple[tuple[int, ...], ...]


def make_batch(number: int, seen: Sequence[tuple[NDArray[np.floating], tuple[int, ...]]]) -> Batch:
    """Stack prepared pictures with their labels."""
    pictures = [picture for picture, _ in seen]
    widths = tuple(picture.shape[2] for picture in pictures)
    return Batch(number, stack(pictures), widths, tuple(labels for _, labels in seen))
