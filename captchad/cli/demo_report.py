"""What the demo found, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from captchad.cli.printing import print_table, say, show_confidence


@dataclass(frozen=True, slots=True)
class DemoResult:
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


def print_results(results: Sequence[DemoResult]) -> None:
    """Print a row for each task, and the totals."""
    say("")
    rows = [
        (
            number,
            result.page,
            result.truth or "-",
            result.text if result.is_completed else result.error or result.status,
            show_confidence(result.confidence),
            "-" if result.total_ms is None else f"{result.total_ms:.0f}",
            "✓" if result.is_right else "✗",
        )
        for number, result in enumerate(results, start=1)
    ]
    print_table(("task", "page", "truth", "text", "confidence", "ms", ""), rows, "")
    say("")
    say(_describe(results))


def represent_results(results: Sequence[DemoResult]) -> dict[str, Any]:
    """Return the results as JSON values."""
    return {
        "tasks": [asdict(result) | {"is_right": result.is_right} for result in results],
        "completed": sum(result.is_completed for result in results),
        "right": sum(result.is_right for result in results),
    }


def _describe(results: Sequence[DemoResult]) -> str:
    completed, right = sum(one.is_completed for one in results), sum(one.is_right for one in results)
    durations = [one.total_ms for one in results if one.total_ms is not None]
    mean = f", {sum(durations) / len(durations):.0f} ms on average" if durations else ""
    return f"{right} of {len(results)} right, {completed} completed{mean}"
