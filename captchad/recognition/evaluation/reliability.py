"""Whether confidence means what it says: beside the share that is right, in bins of as many pictures each.

Bins of equal width would leave a good engine one full bin near 1 and nine nearly empty ones whose few pictures either
weigh nothing or scatter; with equal mass each bin's share is known equally well. Pictures of the same confidence
are never torn apart, so no order of the pictures changes the figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from captchad.recognition.evaluation.evaluated_picture import EvaluatedPicture, Rule
from captchad.recognition.evaluation.proportion import Proportion, estimate_proportion

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pictures of neighbouring confidence: its least, mean and greatest, and how many of them are right."""

    least_confidence: float
    mean_confidence: float
    greatest_confidence: float
    right: Proportion


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins by rising confidence; `expected_error` is their mean gap (0..1), weighed by pictures."""

    expected_error: float
    bins: tuple[ReliabilityBin, ...]


def measure_reliability(outcomes: Sequence[EvaluatedPicture], rule: Rule, bins: int = BINS) -> Reliability:
    """Compare confidence and truth over at most `bins` bins of at least their share of the pictures, the last aside."""
    rated = sorted((outcome.confidence, rule.is_right(outcome)) for outcome in outcomes)
    made = tuple(_describe(members) for members in _divide(rated, len(rated) / bins))
    gaps = sum(abs(one.mean_confidence - one.right.share) * one.right.total for one in made)
    return Reliability(gaps / len(rated), made)


def _divide(rated: Sequence[tuple[float, bool]], wanted: float) -> list[list[tuple[float, bool]]]:
    divided: list[list[tuple[float, bool]]] = [[]]
    for _, alike in groupby(rated, key=lambda item: item[0]):
        if len(divided[-1]) >= wanted:
            divided.append([])
        divided[-1].extend(alike)
    return divided


def _describe(members: Sequence[tuple[float, bool]]) -> ReliabilityBin:
    confidences = [confidence for confidence, _ in members]
    # The mean of equal floats can come out a hair beside them.
    mean = min(max(sum(confidences) / len(members), confidences[0]), confidences[-1])
    right = estimate_proportion(sum(is_right for _, is_right in members), len(members))
    return ReliabilityBin(confidences[0], mean, confidences[-1], right)
