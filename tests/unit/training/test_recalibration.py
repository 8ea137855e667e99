"""A refit of the confidence: honest where it was not, and never worse than what there was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.recognition import Hints
from captchad.recognition.calibration import Calibration, make_plain_calibration
from captchad.recognition.captchad_engine import CALIBRATION_KEY, load_captchad_engine
from captchad.recognition.model import load_model
from captchad.training.recalibration import Rated, adjust, rate, recalibrate, refit
from captchad.training.sample import Sample
from tests.unit.training.plain_pictures import draw_many


def rate_readings(count: int, slope: float, intercept: float, seed: int = 1) -> Rated:
    """Return readings that are right as often as the adjusted confidence says."""
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(1.5, 1.5, count)
    chances = 1 / (1 + np.exp(-(slope * log_odds + intercept)))
    return Rated(log_odds, (generator.random(count) < chances).astype(float))


def test_a_model_that_reads_more_than_it_says_doubts_less_afterwards() -> None:
    found = refit(rate_readings(300, 1.0, 2.0))
    assert found.is_better
    assert found.loss_after < found.loss_before
    assert found.intercept > 1.0


def test_what_was_honest_stays_about_as_it_was() -> None:
    found = refit(rate_readings(2000, 1.0, 0.0))
    assert (found.slope, found.intercept) == pytest.approx((1.0, 0.0), abs=0.2)


@given(st.lists(st.tuples(st.floats(-6.9, 6.9), st.sampled_from([0.0, 0.3, 1.0])), min_size=1, max_size=40))
def test_the_order_of_readings_is_kept_whatever_they_were(readings: list[tuple[float, float]]) -> None:
    found = refit(Rated(np.array([one for one, _ in readings]), np.array([one for _, one in readings])))
    assert found.slope >= 0
    assert np.isfinite([found.slope, found.intercept]).all()


def test_it_is_judged_on_pictures_that_it_was_not_fitted_on() -> None:
    # Chance alone: right and wrong have nothing to do with the confidence, and alternate between the halves.
    rated = Rated(np.full(40, 3.0), np.tile([0.0, 1.0], 20))
    assert not refit(rated).is_better


def test_the_refitted_calibration_is_one_that_models_hold() -> None:
    plain = make_plain_calibration()
    character = plain.character.to_json()
    values = {"text": plain.text.to_json(), "character": character, "letter_case": {}}
    found = Calibration.from_json(adjust(values, refit(rate_readings(300, 1.0, 2.0))))
    features = (-1.0, *[0.0] * 8)
    assert found.text.estimate(features) > plain.text.estimate(features)
    assert found.character == plain.character


def test_refused_pictures_count_as_wrong_only_where_they_are_read_as_they_were_refused() -> None:
    engine, [sample] = load_captchad_engine(), draw_many(1)
    [found] = engine.recognise([sample.picture], [Hints()])
    read_the_same = Sample(sample.picture, found.text, "site")
    read_otherwise = Sample(sample.picture, "NEVER", "site")
    rated = rate(engine, [read_the_same, read_otherwise], [read_the_same, read_otherwise])
    assert rated.right.tolist() == [1.0, 0.0, 0.0, found.confidence]


def test_what_would_be_no_better_leaves_the_calibration_as_it_came() -> None:
    engine, values = load_captchad_engine(), load_model().description[CALIBRATION_KEY]
    drawn = draw_many(1)
    kept, found = recalibrate(engine, values, drawn)
    assert found is not None
    assert (kept == values) is not found.is_better
    assert recalibrate(engine, None, drawn) == (None, None)
