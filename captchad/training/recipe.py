"""A recipe: everything that determines one model, so that the same file makes the same model again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from captchad.recognition.preparation import GREY_PLANES


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """Planes of a picture; channels of the stem, the three stages (at 1/4, 1/8, 1/16 of the height), the neck.

    `gates` has a letter for each block of a stage: g for a gated one.
    """

    planes: int = GREY_PLANES
    stem_channels: int = 48
    channels: tuple[int, ...] = (96, 192, 384)
    gates: tuple[str, ...] = ("g--", "g-g-g-", "g-")
    neck_channels: int = 120
    heads: int = 8
    attention_blocks: int = 2
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate over the steps: it rises, keeps its peak, and falls along a cosine at the end."""

    steps: int = 100_000
    warm_up_steps: int = 500
    fall_steps: int = 60_000
    peak_learning_rate: float = 2e-3
    least_learning_rate: float = 2e-5
    weight_decay: float = 0.01
    gradient_norm_limit: float = 5.0
    average_decay: float = 0.999
    is_bfloat16: bool = False
    """Whether convolutions are computed in bfloat16: twice as fast where the processor knows it, slow elsewhere."""


@dataclass(frozen=True, slots=True)
class Feeding:
    """How pictures reach the network: each drawn one is seen `len(reuse_after_chunks)` times, altered every time.

    `altered_share` of them are drawn as if they had been scaled, compressed or otherwise altered on their way.
    A chunk is `chunk_batches` batches; the pictures drawn for a chunk come again that many chunks later.
    """

    batch_pictures: int = 48
    chunk_batches: int = 4
    # Drawing a picture costs nearly as much as learning from it, so each one is seen three times.
    reuse_after_chunks: tuple[int, ...] = (0, 20, 60)
    altered_share: float = 0.4

    @property
    def chunk_pictures(self) -> int:
        """Pictures seen in one chunk."""
        return self.batch_pictures * self.chunk_batches

    @property
    def drawn_pictures(self) -> int:
        """Pictures drawn afresh for one chunk."""
        return self.chunk_pictures // len(self.reuse_after_chunks)


@dataclass(frozen=True, slots=True)
class Validation:
    """How often the model is tried on fresh pictures, and on how many of each family."""

    every_steps: int = 1000
    pictures_per_family: int = 60
    seed: int = 990_000_001


@dataclass(frozen=True, slots=True)
class Recipe:
    """The families of pictures with their weights, those only validated on, and all numbers of the training."""

    name: str
    seed: int
    families: Mapping[str, float]
    held_out: tuple[str, ...] = ()
    shape: NetworkShape = field(default_factory=NetworkShape)
    schedule: Schedule = field(default_factory=Schedule)
    feeding: Feeding = field(default_factory=Feeding)
    validation: Validation = field(default_factory=Validation)

    def __post_init__(self) -> None:
        shared = sorted(set(self.families) & set(self.held_out))
        if shared:
            raise ValueError(f"held-out families are trained on: {', '.join(shared)}")
        if not self.families or min(self.families.values()) <= 0:
            raise ValueError("a recipe needs families, each with a weight above 0")
        if self.feeding.chunk_pictures % len(self.feeding.reuse_after_chunks):
            raise ValueError("a chunk's pictures must divide by the number of times each is seen")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read a recipe as `to_json` gives it; missing values have defaults, unknown ones are refused."""
        parts = {"shape": NetworkShape, "schedule": Schedule, "feeding": Feeding, "validation": Validation}
        given = dict(values)
        for name, part in parts.items():
            given[name] = part(**_take_known(part, given.get(name, {})))
        return cls(**_take_known(cls, given))

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON holds it."""
        return {**asdict(self), "families": dict(self.families)}

    @property
    def digest(self) -> str:
        """Sixteen hex digits that differ where anything of the recipe does."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file; ValueError where it is none."""
    try:
        return Recipe.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, KeyError) as error:
        raise ValueError(f"{path} is no recipe: {error}") from error


def _take_known(part: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - {known.name for known in fields(part)})
    if unknown:
        raise ValueError(f"a recipe's {part.__name__.lower()} has no {', '.join(unknown)}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
