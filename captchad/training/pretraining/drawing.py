"""Pictures by number: drawing number n of a plan is the same in every run, in whichever process it is made."""

from dataclasses import dataclass
from functools import lru_cache

from captchad.training.pictures.catalogue import load_families
from captchad.training.pictures.source import PictureSource, WeightedFamily
from captchad.training.sample import Sample

_PLANS_AT_ONCE = 4


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
