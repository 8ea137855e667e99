"""Calibration: monotone whatever the fitting found, and the shipped one is well formed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import DependencyMissing
from captchad.recognition.calibration import Curve, load_calibration
from captchad.recognition.ddddocr_engine import CALIBRATION_NAME

NUMBERS = st.floats(-40, 40)
EVIDENCE = st.lists(NUMBERS, min_size=9, max_size=9)


@given(EVIDENCE, st.integers(0, 5), st.floats(0, 40))
def test_more_evidence_never_lowers_the_confidence(features: list[float], which: int, more: float) -> None:
    curve = load_calibration(CALIBRATION_NAME).text
    raised = [value + more if number == which else value for number, value in enumerate(features)]
    assert 0 < curve.estimate(features) <= curve.estimate(raised) + 1e-12 < 1 + 1e-12


@given(st.lists(NUMBERS, min_size=2, max_size=2), st.floats(0.001, 0.999))
def test_a_character_is_never_less_sure_than_its_text(scores: list[float], text_confidence: float) -> None:
    confidence = load_calibration(CALIBRATION_NAME).character_confidence(scores, text_confidence)
    assert text_confidence <= confidence < 1


def test_between_knots_the_probability_is_interpolated() -> None:
    curve = Curve((1.0,), 0.0, (0.0, 1.0, 3.0), (0.1, 0.5, 0.9))
    assert curve.estimate([-5.0]) == pytest.approx(0.1)
    assert curve.estimate([0.5]) == pytest.approx(0.3)
    assert curve.estimate([2.0]) == pytest.approx(0.7)
    assert curve.estimate([9.0]) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("weights", "scores", "probabilities"),
    [((-1.0,), (0.0,), (0.5,)), ((1.0,), (0.0, 1.0), (0.5,)), ((1.0,), (0.0, 1.0), (0.5, 0.4)), ((1.0,), (), ())],
)
def test_a_curve_that_could_fall_is_refused(
    weights: tuple[float, ...], scores: tuple[float, ...], probabilities: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Curve(weights, 0.0, scores, probabilities)


def test_a_missing_calibration_says_so() -> None:
    with pytest.raises(DependencyMissing, match="reinstall"):
        load_calibration("no-such-model")


def test_a_curve_fitted_to_fewer_features_weighs_those_alone() -> None:
    curve = Curve((2.0, 1.0), -1.0, (0.0, 2.0), (0.2, 0.8))
    assert curve.extend(4).estimate((0.5, 0.5, 9.0, -9.0)) == curve.estimate((0.5, 0.5))
