"""Learns one target from its labels: trains, compares with what reads the target now, and refits the confidence."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from captchad.recognition.captchad_engine import CALIBRATION_KEY, CaptchadEngine, load_captchad_engine
from captchad.recognition.model import load_model
from captchad.runtime.clock import Clock
from captchad.training.comparison import Comparison, compare_models
from captchad.training.export import TrainedNetwork, export, write_description
from captchad.training.fine_tuning import BATCH_PICTURES, TuningOptions, train_through
from captchad.training.lesson import Lesson
from captchad.training.recalibration import Refit, recalibrate
from captchad.training.recipe import Recipe
from captchad.training.weights import StartingPoint

_STEPS_LEAST, _PASSES_LEAST, _PASSES_MOST = 200, 6, 40
"""A few labels are seen more often than many, which show the same variety in fewer passes."""


@dataclass(frozen=True, slots=True)
class Learned:
    """The new model's file, how it compares with what reads the target now, and its refit (None: not measurable)."""

    path: Path
    comparison: Comparison
    refit: Refit | None


def choose_passes(pictures: int) -> int:
    """Return how often so many pictures are gone through."""
    return min(max(math.ceil(_STEPS_LEAST * BATCH_PICTURES / pictures), _PASSES_LEAST), _PASSES_MOST)


def learn(
    begun: StartingPoint,
    present: CaptchadEngine,
    lesson: Lesson,
    path: Path,
    clock: Clock,
    report: Callable[[str], None] = lambda step: None,
) -> Learned:
    """Train from `begun` on a lesson, write the model, and compare it with `present`."""
    options = TuningOptions(passes=choose_passes(len(lesson.learned)))
    report(f"learning from {len(lesson.learned)} labels in {options.passes} passes")
    network = train_through(begun.network, lesson.learned, options, clock)
    recipe = Recipe.from_json(begun.description["recipe"])
    export(TrainedNetwork(network, recipe, begun.description["steps"], begun.description["validation"]), path)
    description = dict(load_model(path).description)
    description |= {
        "name": lesson.held_back[0].family,
        CALIBRATION_KEY: begun.description.get(CALIBRATION_KEY),
        "fine_tuning": {
            "from": begun.description["weights_digest"],
            "pictures": len(lesson.learned),
            "passes": options.passes,
        },
    }
    write_description(path, description)
    report(f"comparing on {len(lesson.held_back)} newer labels")
    engine = load_captchad_engine(path)
    comparison = compare_models(present, engine, lesson)
    description["fine_tuning"] |= {"comparison": asdict(comparison)}
    values, found = recalibrate(engine, description[CALIBRATION_KEY], lesson.held_back, lesson.refused)
    description[CALIBRATION_KEY] = values
    write_description(path, description)
    return Learned(path, comparison, found)
