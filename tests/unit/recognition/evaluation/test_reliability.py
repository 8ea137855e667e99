"""Calibration error over bins of as many pictures each."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.evaluation.evaluated_picture import CASE_COUNTS, CASE_IGNORED, EvaluatedPicture
from captchad.recognition.evaluation.reliability import BINS, measure_reliability
from tests.unit.recognition.evaluation.drawing import MANY, make


@given(MANY)
def test_bins_rise_hold_every_picture_once_and_tear_no_equals_apart(outcomes: list[EvaluatedPicture]) -> None:
    found = measure_reliability(outcomes, CASE_COUNTS)
    assert 1 <= len(found.bins) <= BINS
    assert sum(one.right.total for one in found.bins) == len(outcomes)
    for one in found.bins:
        assert one.least_confidence <= one.mean_confidence <= one.greatest_confidence
    for lower, upper in pairwise(found.bins):
        assert lower.greatest_confidence < upper.least_confidence
    for one in found.bins[:-1]:
        assert one.right.total >= len(outcomes) / BINS


@given(MANY, st.randoms())
def test_the_order_of_the_pictures_changes_nothing(outcomes: list[EvaluatedPicture], shuffler: random.Random) -> None:
    shuffled = outcomes.copy()
    shuffler.shuffle(shuffled)
    assert measure_reliability(shuffled, CASE_IGNORED) == measure_reliability(outcomes, CASE_IGNORED)


@given(MANY)
def test_the_error_lies_between_that_of_one_bin_and_the_largest_gap(outcomes: list[EvaluatedPicture]) -> None:
    found = measure_reliability(outcomes, CASE_COUNTS)
    gaps = [abs(one.mean_confidence - one.right.share) for one in found.bins]
    whole = measure_reliability(outcomes, CASE_COUNTS, bins=1)
    assert whole.expected_error - 1e-9 <= found.expected_error <= max(gaps) + 1e-9 <= 1 + 1e-9


def test_confidence_that_is_kept_has_no_error_and_certainty_that_is_not_has_all() -> None:
    kept = [make("a", "a", 0.75)] * 3 + [make("a", "b", 0.75)]
    assert measure_reliability(kept, CASE_COUNTS).expected_error == 0
    assert measure_reliability([make("a", "b", 1.0)] * 5, CASE_COUNTS).expected_error == 1
    halves = [make("a", "a", 0.9)] * 10 + [make("a", "b", 0.1)] * 10
    assert measure_reliability(halves, CASE_COUNTS).expected_error == pytest.approx(0.1)


def test_the_rule_decides_what_is_right() -> None:
    outcomes = [make("a", "A", 1.0)] * 4
    assert measure_reliability(outcomes, CASE_COUNTS).expected_error == 1
    assert measure_reliability(outcomes, CASE_IGNORED).expected_error == 0
