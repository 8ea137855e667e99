"""Confidence fitted to what was right: rising, honest on other pictures, and kept in the model's file."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from captchad.domain.recognition import CaptchaKind, Hints
from captchad.recognition.calibration import Calibration, Curve
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.model import find_packaged_model, load_model
from captchad.training.export import write_description
from captchad.training.pictures.empty import EmptyFamily
from captchad.training.pretraining.calibration import ReadSample, draw_hints, find_charset, fit, measure, read_samples
from captchad.training.pretraining.fitting import add_doubt, fit_curve, pool_violators
from captchad.training.sample import Sample
from tests.unit.training.plain_pictures import draw_many, draw_plainly


def test_a_curve_finds_the_probability_behind_the_features() -> None:
    generator = np.random.default_rng(1)
    features = generator.uniform(-4, 4, (4000, 2))
    right = generator.random(4000) < 1 / (1 + np.exp(-(features[:, 0] * 1.5 - 0.5)))
    curve = fit_curve(features.tolist(), right.tolist())
    for score, expected in ((-3.0, 0.007), (0.0, 0.378), (3.0, 0.982)):
        assert curve.estimate((score, 0.0)) == pytest.approx(expected, abs=0.06)


def test_what_never_differed_weighs_nothing() -> None:
    curve = fit_curve([(float(number), 1.0) for number in range(100)], [number > 50 for number in range(100)])
    assert curve.weights[1] == 0.0


def test_falling_knots_are_pooled() -> None:
    assert pool_violators([(0.0, 0.2, 10), (1.0, 0.6, 10), (2.0, 0.4, 10)]) == [(0.0, 0.2), (1.5, 0.5)]


def test_a_doubt_weighs_as_much_as_it_was_wrong() -> None:
    generator = np.random.default_rng(3)
    curve = Curve((1.0, 0.0), 0.0, (-4.0, 4.0), (0.02, 0.98))
    evidence = [(score, 0.5) for score in generator.uniform(0, 4, 600).tolist()]
    plain = (4.0, 1.0)
    for share in (0.05, 0.4):
        right = (generator.random(len(evidence)) < share).tolist()
        doubting = add_doubt(curve, evidence, right)
        assert np.mean([doubting.estimate(row) for row in evidence]) == pytest.approx(share, abs=0.08)
        assert doubting.estimate(plain) == curve.estimate(plain)
    assert add_doubt(curve, [], []) == curve


def test_hints_are_those_that_a_caller_could_give() -> None:
    source = random.Random(3)
    for _ in range(50):
        hints = draw_hints(Sample(np.zeros((2, 2), np.uint8), "aB3", "captcha"), source)
        assert hints.charset is None or set("aB3") <= set(hints.charset)
        assert hints.min_length in {None, 3}
        drawn = draw_hints(Sample(np.zeros((2, 2), np.uint8), "1+2", "synthetic-sum"), source)
        assert drawn.kind in {None, CaptchaKind.MATH}
    assert find_charset("9") == "0123456789"


@pytest.mark.parametrize(
    ("family", "is_case_known", "is_right"),
    [
        ("svg-captcha", None, False),
        ("django-simple-captcha", None, True),
        ("svg-captcha", False, True),
        ("django-simple-captcha", True, False),
    ],
)
def test_right_is_what_the_generator_would_take_unless_the_hints_tell_of_case(
    family: str, is_case_known: bool | None, is_right: bool
) -> None:
    [drawn] = draw_many(1)
    [found] = load_captchad_engine().read([drawn.picture], [Hints(charset=drawn.text.upper(), case_sensitive=False)])
    assert found is not None
    wanted = drawn.text.lower()
    assert found.reading.symbols == wanted.upper() != wanted
    sample = ReadSample(family, wanted, wanted, Hints(case_sensitive=is_case_known), found)
    assert sample.is_right == is_right


def test_arithmetic_without_an_integer_result_is_no_sample() -> None:
    engine = load_captchad_engine()
    drawn = [Sample(draw_plainly(text).picture, text, "synthetic-sum") for text in ("7÷2=", "3+4=")]
    assert [sample.answer for sample in read_samples(engine, drawn, random.Random(1))] == ["7"]


def test_the_fitted_calibration_is_taken_up_from_the_file_and_gives_nothing_to_empty_pictures(tmp_path: Path) -> None:
    source = random.Random(5)
    empty = [EmptyFamily().draw(source) for _ in range(60)]
    engine = load_captchad_engine()
    read = read_samples(engine, [*draw_many(80), *empty], source)
    fitted = fit(read)
    assert "without text at most" in measure(read, Calibration.from_json(fitted))
    path = tmp_path / "model.onnx"
    shutil.copyfile(find_packaged_model(), path)
    write_description(path, {**load_model(path).description, "calibration": fitted})
    calibrated = CaptchadEngine(load_model(path))
    letters, nothing = (
        [calibrated.recognise([sample.picture], [Hints()])[0].confidence for sample in samples]
        for samples in (draw_many(20, seed=9), empty)
    )
    assert np.mean(letters) > 0.5
    assert np.mean(nothing) < 0.1
