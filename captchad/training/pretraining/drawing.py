"""Pictures by number: drawing number n of a plan is the same in every run, in whichever process it is made."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from captchad.training.alphabet import encode
from captchad.training.augmentation import augment
from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.source import PictureSource, WeightedFamily
from captchad.training.sample import Sample

_PLANS_AT_ONCE = 4
# A random stream apart from the drawing's: it depends on seed, drawing and sight alone, so that a resumed training
# sees the same.
_AUGMENTATION = 1

Sight = tuple[NDArray[np.float16], tuple[int, ...]]
"""A picture altered and prepared, in sixteen bits to be sent between processes, and its text as symbol numbers."""


@dataclass(frozen=True, slots=True)
class DrawingPlan:
    """Families (with their weights), the seed, and the share of pictures altered: they decide every picture."""

    families: tuple[tuple[str, float], ...]
    seed: int
    altered_share: float = 0.0

    def draw(self, number: int, count: int) -> list[Sample]:
        """Draw the pictures of one drawing; ValueError where a family's package is not installed."""
        source = _open_source(self)
        return [source.draw(picture) for picture in range(number * count, (number + 1) * count)]

    def draw_sights(self, number: int, count: int, sights: int, planes: int) -> list[list[Sight]]:
        """Draw the pictures of one drawing, and alter and prepare all of them once for each sight."""
        samples = self.draw(number, count)
        return [
            self._see(samples, np.random.default_rng((self.seed, _AUGMENTATION, number, sight)), planes)
            for sight in range(sights)
        ]

    def _see(self, samples: list[Sample], generator: np.random.Generator, planes: int) -> list[Sight]:
        return [
            (augment(sample.picture, generator, planes=planes).astype(np.float16), encode(sample.text))
            for sample in samples
        ]


@lru_cache(_PLANS_AT_ONCE)
def _open_source(plan: DrawingPlan) -> PictureSource:
    weights = dict(plan.families)
    families = load_families(list(weights))
    missing = sorted(set(weights) - {family.name for family in families})
    if missing:
        # Without them the same numbers would be other pictures.
        raise ValueError(f"these families' packages are not installed: {', '.join(missing)}")
    weighted = [WeightedFamily(family, weights[family.name]) for family in families]
    return PictureSource(weighted, plan.seed, plan.altered_share)
