"""Endless pictures of known text: number n of a seed is the same picture in every process."""

import itertools
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from captchad.recognition.flattening import Pixels
from captchad.training.pictures.augmentation import augment_picture

LOGGER = logging.getLogger(__name__)

_TRIES = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture, its text as the model is to read it (no spaces, each sign in its one spelling), and its family."""

    picture: Pixels
    text: str
    family: str


class Family(Protocol):
    """A kind of captcha: the same generator or the same hand drew all of its pictures."""

    @property
    def name(self) -> str:
        """What recipes call it."""

    def draw(self, source: random.Random) -> Sample:
        """Draw a picture; what it shows depends on the random source alone."""


class FamilyUnavailable(Exception):
    """A family cannot be drawn here, since something it needs is not installed."""


@dataclass(frozen=True, slots=True)
class WeightedFamily:
    """A family and its weight, the share of the pictures that are of it being weight / sum of weights."""

    family: Family
    weight: float = 1.0


class PictureSource:
    """Draws from families by weight; splits over processes by picture number, whatever their count."""

    def __init__(self, families: Sequence[WeightedFamily], seed: int, augmented_share: float = 0.5) -> None:
        if not families or min(weighted.weight for weighted in families) <= 0:
            raise ValueError("a picture source needs families, each with a weight above 0")
        self._families = [weighted.family for weighted in families]
        self._bounds = list(itertools.accumulate(weighted.weight for weighted in families))
        self._seed = seed
        self._augmented_share = augmented_share

    def draw(self, number: int) -> Sample:
        """Draw picture `number`.

        What others published fails now and then on a text; another picture is drawn instead, and it is said so.
        """
        for attempt in range(_TRIES):
            source = random.Random(f"{self._seed}:{number}" if attempt == 0 else f"{self._seed}:{number}:{attempt}")
            [family] = source.choices(self._families, cum_weights=self._bounds)
            try:
                return self._draw_from(family, source)
            except Exception as error:  # noqa: BLE001 - anything may be wrong in them
                LOGGER.warning("%s could not draw picture %d: %r", family.name, number, error)
        raise ValueError(f"picture {number} could not be drawn in {_TRIES} tries")

    def _draw_from(self, family: Family, source: random.Random) -> Sample:
        sample = family.draw(source)
        if source.random() >= self._augmented_share:
            return sample
        return Sample(augment_picture(sample.picture, source), sample.text, sample.family)

    def stream(self, worker: int = 0, workers: int = 1) -> Iterator[Sample]:
        """Return the pictures of one of several workers, without end; together they draw each number once."""
        return (self.draw(number) for number in itertools.count(worker, workers))
