"""Reports the progress of a training: a bar on a terminal, log lines elsewhere."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from captchad.runtime.clock import Clock
from captchad.training.pretraining.trainer import StepReport
from captchad.training.recipe import Recipe
from captchad.training.validation import FamilyFigures

_LINE_SECONDS = 30.0
_LOSS_MEMORY = 0.98


class ProgressReporter(AbstractContextManager["ProgressReporter"]):
    """Shows steps, the smoothed loss, pictures a second, and each validation."""

    def __init__(self, recipe: Recipe, clock: Clock, first_step: int) -> None:
        self._recipe = recipe
        self._clock = clock
        self._console = Console(file=sys.stdout, highlight=False)
        self._loss: float | None = None
        self._line_step, self._line_seconds = first_step, clock.monotonic_seconds()
        self._rate = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(recipe.name, total=recipe.schedule.steps, completed=first_step)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report_step(self, report: StepReport) -> None:
        """Note a step, and report it now and then."""
        self._loss = report.loss if self._loss is None else _LOSS_MEMORY * self._loss + (1 - _LOSS_MEMORY) * report.loss
        now = self._clock.monotonic_seconds()
        is_line_due = now - self._line_seconds >= _LINE_SECONDS
        if is_line_due:
            steps = report.step + 1 - self._line_step
            self._rate = steps * self._recipe.feeding.batch_pictures / (now - self._line_seconds)
            self._line_step, self._line_seconds = report.step + 1, now
        summary = f"loss {self._loss:.3f} · rate {report.learning_rate:.2e} · {self._rate:.0f} pictures/s"
        self._bar.update(self._task, completed=report.step + 1, description=summary)
        if is_line_due and not self._console.is_terminal:
            self._console.print(f"step {report.step + 1} of {self._recipe.schedule.steps} · {summary}")

    def report_figures(self, step: int, figures: Sequence[FamilyFigures]) -> None:
        """Print a validation, family by family."""
        for family in figures:
            mark = " (held out)" if family.family in self._recipe.held_out else ""
            self._console.print(
                f"step {step} · {family.family}{mark}: {family.exact:.1%} exact, "
                f"{family.exact_but_case:.1%} but for case, {family.character_errors:.1%} of characters wrong",
                soft_wrap=True,
            )
