"""What the demo found, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from captchad.cli.printing import print_table


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one page of the demo ended; `confidence` is 0..1, the rest is None or empty where there was no result."""

    task_id: str
    page: str
    status: str
    truth: str
    text: str
    confidence: float | None
    total_ms: float | None
    error: str

    @property
    def is_completed(self) -> bool:
        """Whether a text came back."""
        return self.status == "completed"

    @property
    def is_right(self) -> bool:
        """Whether it is the text that the site drew; the site takes either letter case."""
        return self.is_completed and bool(self.truth) and self.text.casefold() == self.truth.casefold()


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a row for each task, and the sum."""
    click.echo()
    rows = [
        (
            number,
            outcome.page,
            outcome.truth or "-",
            outcome.text if outcome.is_completed else outcome.error or outcome.status,
            "-" if outcome.confidence is None else f"{outcome.confidence:.3f}",
            "-" if outcome.total_ms is None else f"{outcome.total_ms:.0f}",
            "✓" if outcome.is_right else "✗",
        )
        for number, outcome in enumerate(outcomes, start=1)
    ]
    print_table(("task", "page", "truth", "text", "confidence", "ms", ""), rows, "")
    click.echo(f"\n{_describe(outcomes)}")


def represent_outcomes(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the outcomes as JSON values."""
    return {
        "tasks": [asdict(outcome) | {"is_right": outcome.is_right} for outcome in outcomes],
        "completed": sum(outcome.is_completed for outcome in outcomes),
        "right": sum(outcome.is_right for outcome in outcomes),
    }


def _describe(outcomes: Sequence[Outcome]) -> str:
    completed, right = sum(one.is_completed for one in outcomes), sum(one.is_right for one in outcomes)
    durations = [one.total_ms for one in outcomes if one.total_ms is not None]
    mean = f", {sum(durations) / len(durations):.0f} ms on average" if durations else ""
    return f"{right} of {len(outcomes)} right, {completed} completed{mean}"
