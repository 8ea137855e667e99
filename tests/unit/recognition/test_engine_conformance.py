"""What every engine must do, whoever made it: one suite for all of them."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from captchad.domain.recognition import PICTURE_KINDS, CaptchaKind, Hints, Recognition
from captchad.recognition.decoding import Pixels, decode_picture
from captchad.recognition.engines import list_engines, load_engine
from captchad.recognition.recognition_engine import RecognitionEngine
from tests.benchmarks.captcha_families import CLEAR_UPPER, draw_arithmetic, draw_noise, draw_plain, draw_wheezy

ENGINES = ("captchad", "ddddocr", "tesseract", "ensemble", "wide")
BLANK = np.full((40, 120), 255, dtype=np.uint8)
NO_TEXT_CONFIDENCE = 0.1


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> RecognitionEngine:
    return load_engine(request.param)


@pytest.fixture(scope="module")
def pictures() -> list[Pixels]:
    """Pictures of many sizes and grounds, one of them blank."""
    source = random.Random("conformance")
    drawn = [decode_picture(draw(source).picture) for draw in (draw_plain, draw_wheezy, draw_arithmetic, draw_plain)]
    return [drawn[0], BLANK, *drawn[1:]]


def read(engine: RecognitionEngine, pictures: Sequence[Pixels], hints: Hints) -> list[Recognition]:
    return engine.recognise(pictures, [hints] * len(pictures))


def test_every_declared_engine_is_tried() -> None:
    assert set(list_engines()) == set(ENGINES)


def test_it_names_itself_and_a_batch(engine: RecognitionEngine) -> None:
    assert engine.name
    assert engine.largest_batch >= 1


def test_a_batch_of_mixed_sizes_is_read_as_one_after_another_is(
    engine: RecognitionEngine, pictures: list[Pixels]
) -> None:
    together = read(engine, pictures, Hints())
    alone = [read(engine, [picture], Hints())[0] for picture in pictures]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.confidence for one in together] == pytest.approx([one.confidence for one in alone], abs=1e-3)


def test_a_picture_is_read_with_its_own_hints(engine: RecognitionEngine, pictures: list[Pixels]) -> None:
    hints = [Hints(kind=CaptchaKind.TEXT, max_length=length) for length in (1, 2, 9, 3, 9)]
    found = engine.recognise(pictures, hints)
    assert all(len(one.text) <= (hint.max_length or 0) for one, hint in zip(found, hints, strict=True))


def test_nothing_is_read_of_nothing(engine: RecognitionEngine) -> None:
    assert engine.recognise([], []) == []


def test_a_blank_picture_has_no_text_and_no_confidence(engine: RecognitionEngine) -> None:
    for hints in (Hints(), Hints(charset="AB", min_length=2), Hints(kind=CaptchaKind.MATH)):
        (found,) = read(engine, [BLANK], hints)
        assert (found.text, found.confidence, found.characters) == ("", 0.0, ())


def test_noise_is_not_trusted(engine: RecognitionEngine) -> None:
    source = random.Random("noise")
    noise = [decode_picture(draw_noise(source).picture) for _ in range(5)]
    assert all(found.confidence <= NO_TEXT_CONFIDENCE for found in read(engine, noise, Hints()))


@pytest.mark.parametrize("charset", [CLEAR_UPPER, "0123456789", "é", "-=' \"\\"])
def test_nothing_outside_the_charset_is_given(engine: RecognitionEngine, pictures: list[Pixels], charset: str) -> None:
    for found in read(engine, pictures, Hints(charset=charset)):
        assert set(found.text) <= set(charset)


def test_the_bounds_of_the_length_hold_or_nothing_is_given(engine: RecognitionEngine, pictures: list[Pixels]) -> None:
    for hints in (Hints(max_length=2), Hints(min_length=5, max_length=5)):
        for found in read(engine, pictures, hints):
            assert not found.text or (hints.min_length or 0) <= len(found.text) <= (hints.max_length or 0)


def test_results_are_whole(engine: RecognitionEngine, pictures: list[Pixels]) -> None:
    for kind in (None, *PICTURE_KINDS):
        for found in read(engine, pictures, Hints(kind=kind)):
            assert found.recogniser in engine.name
            assert 0 <= found.confidence <= 1
            assert kind in {None, found.kind}
            assert all(found.confidence - 1e-9 <= character.confidence <= 1 for character in found.characters)
            is_arithmetic = found.kind is CaptchaKind.MATH and bool(found.text)
            assert (found.expression is not None) == is_arithmetic
            if not is_arithmetic:
                assert "".join(character.text for character in found.characters) == found.text


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (3, 2)])
def test_pictures_of_any_shape_are_read(engine: RecognitionEngine, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    (found,) = read(engine, [pixels], Hints())
    assert 0 <= found.confidence <= 1
