"""All figures of one engine on one folder of labelled pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from captchad.recognition.evaluation.alignment import align_texts, measure_distance
from captchad.recognition.evaluation.characters import Confusion, find_confusions, measure_characters
from captchad.recognition.evaluation.coverage import CoverageLevel, measure_coverage
from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, CASE_IGNORED, EvaluatedPicture, Rule
from captchad.recognition.evaluation.proportion import Proportion, estimate_proportion
from captchad.recognition.evaluation.reliability import Reliability, measure_reliability


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many texts are right as a whole, and how many of all characters."""

    texts: Proportion
    characters: Proportion


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds a picture, decoding included."""

    median_ms: float
    mean_ms: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured; confusions, reliability and coverage are by the rule that `is_case_ignored` names."""

    recogniser: str
    pictures: int
    refused: int
    is_case_ignored: bool
    case_counts: Accuracy
    case_ignored: Accuracy
    confusions: tuple[Confusion, ...]
    reliability: Reliability
    coverage: tuple[CoverageLevel, ...]
    cpu: Cost
    wall: Cost


def evaluate_outcomes(recogniser: str, outcomes: Sequence[EvaluatedPicture], rule: Rule) -> Evaluation:
    """Work out all figures; at least one outcome is needed."""
    return Evaluation(
        recogniser=recogniser,
        pictures=len(outcomes),
        refused=sum(outcome.problem is not None for outcome in outcomes),
        is_case_ignored=rule.is_case_ignored,
        case_counts=_measure_accuracy(outcomes, CASE_COUNTS),
        case_ignored=_measure_accuracy(outcomes, CASE_IGNORED),
        confusions=find_confusions(outcomes, rule),
        reliability=measure_reliability(outcomes, rule),
        coverage=measure_coverage(outcomes, rule),
        cpu=_measure_cost([outcome.cpu_ms for outcome in outcomes]),
        wall=_measure_cost([outcome.wall_ms for outcome in outcomes]),
    )


def choose_worst(outcomes: Sequence[EvaluatedPicture], rule: Rule, count: int) -> list[EvaluatedPicture]:
    """Return the wrong ones, those the engine was surest of first, and of these the most distant."""
    wrong = [outcome for outcome in outcomes if not rule.is_right(outcome)]
    return sorted(wrong, key=lambda outcome: (-outcome.confidence, -_distance(outcome, rule), outcome.file))[:count]


def _distance(outcome: EvaluatedPicture, rule: Rule) -> int:
    return measure_distance(align_texts(rule.fold(outcome.truth), rule.fold(outcome.text)))


def _measure_accuracy(outcomes: Sequence[EvaluatedPicture], rule: Rule) -> Accuracy:
    texts = estimate_proportion(sum(map(rule.is_right, outcomes)), len(outcomes))
    return Accuracy(texts, measure_characters(outcomes, rule))


def _measure_cost(milliseconds: Sequence[float]) -> Cost:
    return Cost(round(median(milliseconds), 3), round(fmean(milliseconds), 3))
