"""What the demo found, as a table and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from captchad.cli.printing import print_table, say, show_confidence

ROWS_LIMIT = 30
"""Of more tasks than these, the kinds are summed up, and only those listed that aren't right."""


class Outcome(StrEnum):
    """How a page ended: wrong is an answer that captchad calls verified and the site knows better."""

    RIGHT = "right"
    WRONG = "wrong"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How one page of the demo ended; `confidence` is 0..1, the rest is None or empty where there was no result.

    `verified` is what captchad says, `is_right` what the site knows of what it was sent last.
    """

    task_id: str
    page: str
    status: str
    verified: bool | None
    is_right: bool
    truth: str
    text: str
    confidence: float | None
    answers: int
    left_scope_to: str | None
    total_ms: float | None
    error: str

    @property
    def outcome(self) -> Outcome:
        """Whether the page was solved, and rightly so."""
        if self.verified is not True:
            return Outcome.FAILED
        return Outcome.RIGHT if self.is_right else Outcome.WRONG

    @property
    def shown_text(self) -> str:
        """The text that was read, or why there is none."""
        if self.status != "completed":
            return self.error or self.status
        return self.text if self.verified is True else f"{self.text} (not verified)"


def print_results(results: Sequence[DemoResult]) -> None:
    """Print a row for each task, or for each kind of page where there are many, and the totals."""
    say("")
    numbered = list(enumerate(results, start=1))
    if len(results) > ROWS_LIMIT:
        _print_kinds(results)
        numbered = [(number, result) for number, result in numbered if result.outcome is not Outcome.RIGHT]
    if numbered:
        _print_rows(numbered)
    say(_describe(results))


def represent_results(results: Sequence[DemoResult]) -> dict[str, Any]:
    """Return the results as JSON values."""
    return {
        "tasks": [asdict(result) | {"outcome": result.outcome} for result in results],
        "kinds": {page: _count(outcomes) for page, outcomes in _sum_up(results).items()},
        "completed": sum(result.status == "completed" for result in results),
        **_count(Counter(result.outcome for result in results)),
    }


def _print_rows(numbered: Sequence[tuple[int, DemoResult]]) -> None:
    rows = [
        (
            number,
            result.page,
            result.truth or "-",
            result.shown_text,
            show_confidence(result.confidence),
            "-" if result.total_ms is None else f"{result.total_ms:.0f}",
            "✓" if result.outcome is Outcome.RIGHT else "✗",
        )
        for number, result in numbered
    ]
    print_table(("task", "page", "truth", "text", "confidence", "ms", ""), rows, "")
    say("")


def _print_kinds(results: Sequence[DemoResult]) -> None:
    rows = [(page, *_count(outcomes).values()) for page, outcomes in _sum_up(results).items()]
    print_table(("page", *Outcome), rows, "")
    say("")


def _sum_up(results: Sequence[DemoResult]) -> dict[str, Counter[Outcome]]:
    """Return how often each kind ended how, in the order of their first task."""
    kinds: dict[str, Counter[Outcome]] = {}
    for result in results:
        kinds.setdefault(result.page, Counter())[result.outcome] += 1
    return kinds


def _count(outcomes: Counter[Outcome]) -> dict[str, int]:
    return {outcome.value: outcomes[outcome] for outcome in Outcome}


def _describe(results: Sequence[DemoResult]) -> str:
    counted = _count(Counter(result.outcome for result in results))
    durations = [one.total_ms for one in results if one.total_ms is not None]
    mean = f"; {sum(durations) / len(durations):.0f} ms on average" if durations else ""
    return f"{', '.join(f'{count} {name}' for name, count in counted.items())}, of {len(results)}{mean}"
