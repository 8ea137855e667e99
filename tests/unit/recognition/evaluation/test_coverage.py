"""Accuracy by coverage."""

from itertools import pairwise

from hypothesis import given

from captchad.recognition.evaluation.coverage import THRESHOLDS, measure_coverage
from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, EvaluatedPicture
from tests.unit.recognition.evaluation.drawing import MANY, make


@given(MANY)
def test_a_higher_threshold_never_answers_more(outcomes: list[EvaluatedPicture]) -> None:
    levels = measure_coverage(outcomes, CASE_COUNTS)
    assert [level.threshold for level in levels] == list(THRESHOLDS)
    assert levels[0].covered == 1
    for lower, higher in pairwise(levels):
        assert higher.covered <= lower.covered
        assert (higher.right is None) == (higher.covered == 0)


def test_what_is_just_as_sure_as_the_threshold_is_answered() -> None:
    outcomes = [make("a", "a", 0.9), make("a", "b", 0.89), make("a", "a", 0.1), make("a", "b", 0.0)]
    (level, none) = measure_coverage(outcomes, CASE_COUNTS, (0.9, 0.95))
    assert level.right is not None
    assert (level.covered, level.right.right, level.right.total) == (0.25, 1, 1)
    assert (none.covered, none.right) == (0.0, None)
