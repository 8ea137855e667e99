"""What is gained by answering only what is sure enough: how much is still answered, and how much of it is right."""

from collections.abc import Sequence
from dataclasses import dataclass

from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture, Rule
from captchad.recognition.evaluation.proportion import Proportion, estimate_proportion

THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class CoverageLevel:
    """Pictures read with at least `threshold` (0..1): their share of all, and the right ones among them, if any."""

    threshold: float
    covered: float
    right: Proportion | None


def measure_coverage(
    outcomes: Sequence[EvaluatedPicture], rule: Rule, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[CoverageLevel, ...]:
    """Return accuracy by coverage, one level for each threshold."""
    return tuple(_measure_level(outcomes, rule, threshold) for threshold in thresholds)


def _measure_level(outcomes: Sequence[EvaluatedPicture], rule: Rule, threshold: float) -> CoverageLevel:
    kept = [outcome for outcome in outcomes if outcome.confidence >= threshold]
    right = estimate_proportion(sum(map(rule.is_right, kept)), len(kept)) if kept else None
    return CoverageLevel(threshold, len(kept) / len(outcomes), right)
