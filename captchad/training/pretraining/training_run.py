"""One run of a training: from the checkpoint until the recipe, the minutes or Ctrl-C end it."""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from captchad.runtime.clock import Clock
from captchad.training.network import CaptchaNetwork
from captchad.training.pretraining.checkpoint import FILE_NAME
from captchad.training.pretraining.drawing import DrawingPlan
from captchad.training.pretraining.feed import Feed
from captchad.training.pretraining.progress import ProgressReporter
from captchad.training.pretraining.published_weights import FILE, load_published
from captchad.training.pretraining.trainer import SaveTimer, Trainer, choose_device
from captchad.training.pretraining.validation import draw_validation, validate
from captchad.training.recipe import Recipe
from captchad.training.sample import Sample
from captchad.training.weights import load_first_network

FIGURES_NAME = "figures.jsonl"
SAVE_SECONDS = 120.0
_SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class TrainingRunOptions:
    """Where the checkpoints lie, which model to begin with, for how long to train, with what processes and threads."""

    folder: Path
    minutes: float | None = None
    is_resumed: bool = False
    drawers: int = 1
    threads: int = os.cpu_count() or 1
    first_model: Path | None = None


class TrainingRun:
    """Runs a trainer over its feed, with saving, validation and progress reports."""

    def __init__(self, recipe: Recipe, options: TrainingRunOptions, clock: Clock) -> None:
        self._recipe = recipe
        self._options = options
        self._clock = clock
        self._trainer = Trainer(recipe, choose_device())
        self._is_there = (options.folder / FILE_NAME).exists()

    def run(self) -> None:
        """Train; the state is saved however it ends. ValueError where the checkpoint forbids it."""
        if self._is_there and not self._options.is_resumed:
            raise ValueError(f"{self._options.folder} holds a checkpoint: give --resume, or another folder")
        if self._is_there:
            self._trainer.resume(self._options.folder)
        elif self._options.first_model is not None:
            self._trainer.start_from(_load_first(self._options.first_model, self._recipe.shape.planes).state_dict())
        torch.set_num_threads(self._options.threads)
        plan = DrawingPlan(
            tuple(sorted(self._recipe.families.items())), self._recipe.seed, self._recipe.feeding.altered_share
        )
        reporter = ProgressReporter(self._recipe, self._clock, self._trainer.next_batch)
        with Feed(plan, self._recipe.feeding, self._options.drawers, self._recipe.shape.planes) as feed, reporter:
            pictures = draw_validation(self._recipe, feed.drawers)
            try:
                with contextlib.suppress(KeyboardInterrupt):
                    self._train(feed, reporter, pictures)
            finally:
                self._trainer.save(self._options.folder)

    def _train(self, feed: Feed, reporter: ProgressReporter, pictures: dict[str, list[Sample]]) -> None:
        started_seconds = self._clock.monotonic_seconds()
        timer = SaveTimer(self._clock, SAVE_SECONDS)
        for batch in feed.batches(self._trainer.next_batch):
            if batch.number >= self._recipe.schedule.steps or self._is_time_up(started_seconds):
                break
            reporter.report_step(self._trainer.step(batch))
            is_last = self._trainer.next_batch == self._recipe.schedule.steps
            if is_last or self._trainer.next_batch % self._recipe.validation.every_steps == 0:
                self._validate(reporter, pictures)
            if timer.is_due():
                self._trainer.save(self._options.folder)

    def _is_time_up(self, started_seconds: float) -> bool:
        if self._options.minutes is None:
            return False
        return self._clock.monotonic_seconds() - started_seconds >= self._options.minutes * _SECONDS_PER_MINUTE

    def _validate(self, reporter: ProgressReporter, pictures: dict[str, list[Sample]]) -> None:
        step = self._trainer.next_batch
        found = validate(self._trainer.average.network, pictures, self._trainer.device)
        figures = {"step": step, "recipe": self._recipe.digest, "families": [family.to_json() for family in found]}
        self._trainer.figures = figures
        self._options.folder.mkdir(parents=True, exist_ok=True)
        with (self._options.folder / FIGURES_NAME).open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")
        reporter.report_figures(step, found)


def _load_first(path: Path, planes: int) -> CaptchaNetwork:
    """Read the network to begin with: the published one by its file's name, else one that `export` wrote."""
    return load_published(path, planes).eval() if path.name == Path(FILE).name else load_first_network(path, planes)
