"""From what an engine read to the figures that are reported."""

from collections.abc import Sequence
from dataclasses import dataclass

from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, EvaluatedPicture
from captchad.recognition.evaluation.reliability import Reliability, measure_reliability
from captchad.training.pictures.acceptance import is_right
from tests.benchmarks.recognition.labelled import LabelledPicture

SURE_CONFIDENCE = 0.9
_MOST_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class FamilyScore:
    """How many of a family's pictures were read right."""

    family: str
    right: int
    pictures: int

    @property
    def share(self) -> float:
        """Of 1."""
        return self.right / self.pictures


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Several families, each weighing the same whatever its pictures; the worst is the first of equals."""

    families: int
    mean_share: float
    worst_share: float
    worst_family: str


@dataclass(frozen=True, slots=True)
class Sureness:
    """Whether confidence means what it says, and what it says of pictures that show nothing."""

    reliability: Reliability
    sure_share: float
    sure_right: int
    sure_pictures: int
    empty_pictures: int
    empty_greatest: float | None
    empty_99th_percentile: float | None


def score_families(pictures: Sequence[LabelledPicture], texts: Sequence[str]) -> list[FamilyScore]:
    """Count what is right in each family, in the order the families came."""
    counts: dict[str, list[bool]] = {}
    for picture, text in zip(pictures, texts, strict=True):
        counts.setdefault(picture.family, []).append(is_right(picture.family, picture.truth, text))
    return [FamilyScore(family, sum(marks), len(marks)) for family, marks in counts.items()]


def score_group(scores: Sequence[FamilyScore]) -> GroupScore | None:
    """Return mean and worst over families; None where there is none."""
    if not scores:
        return None
    worst = min(scores, key=lambda score: score.share)
    mean = sum(score.share for score in scores) / len(scores)
    return GroupScore(len(scores), mean, worst.share, worst.family)


def rate_sureness(
    pictures: Sequence[LabelledPicture], texts: Sequence[str], confidences: Sequence[float], empty: Sequence[float]
) -> Sureness:
    """Compare confidence and truth; `empty` holds the confidences on pictures without any text."""
    marks = [is_right(picture.family, picture.truth, text) for picture, text in zip(pictures, texts, strict=True)]
    outcomes = [
        EvaluatedPicture("", "right", "right" if mark else "wrong", confidence, 0.0, 0.0)
        for mark, confidence in zip(marks, confidences, strict=True)
    ]
    sure = [mark for mark, confidence in zip(marks, confidences, strict=True) if confidence >= SURE_CONFIDENCE]
    return Sureness(
        reliability=measure_reliability(outcomes, CASE_COUNTS),
        sure_share=len(sure) / len(marks),
        sure_right=sum(sure),
        sure_pictures=len(sure),
        empty_pictures=len(empty),
        empty_greatest=max(empty, default=None),
        empty_99th_percentile=find_percentile(empty),
    )


def find_percentile(values: Sequence[float], share: float = _MOST_SHARE) -> float | None:
    """Return the least value that at least `share` of all don't exceed; None of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-round(len(ordered) * share * 1000) // 1000) - 1)] if ordered else None
