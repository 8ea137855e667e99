"""The real model on pictures of others' generators, and on pictures without any text."""

import random
import subprocess
import sys

import numpy as np
import pytest

from captchad.domain.recognition import CaptchaKind, Hints, Recognition
from captchad.recognition.ddddocr_engine import DdddocrEngine
from captchad.recognition.decoding import decode_picture
from tests.benchmarks.captcha_families import (
    CLEAR_UPPER,
    LabelledPicture,
    draw_arithmetic,
    draw_blank,
    draw_noise,
    draw_plain,
    draw_wheezy_text,
)

NO_TEXT_CONFIDENCE = 0.02
NO_HINTS = Hints()


def read(engine: DdddocrEngine, picture: bytes, hints: Hints = NO_HINTS) -> Recognition:
    (recognition,) = engine.recognise([decode_picture(picture)], [hints])
    return recognition


@pytest.fixture(scope="module")
def wheezy_pictures() -> list[tuple[str, bytes]]:
    source = random.Random("sixty wheezy pictures")
    texts = ["".join(source.choices(CLEAR_UPPER, k=4)) for _ in range(60)]
    return [(text, draw_wheezy_text(source, text)) for text in texts]


def test_wheezy_pictures_are_read(engine: DdddocrEngine, wheezy_pictures: list[tuple[str, bytes]]) -> None:
    recognitions = [read(engine, picture) for _, picture in wheezy_pictures]
    right = sum(
        recognition.text.upper() == text for recognition, (text, _) in zip(recognitions, wheezy_pictures, strict=True)
    )
    assert right >= 0.85 * len(wheezy_pictures)
    assert all(recognition.recogniser.startswith("ddddocr") for recognition in recognitions)


def test_the_hints_are_kept(engine: DdddocrEngine, wheezy_pictures: list[tuple[str, bytes]]) -> None:
    for _, picture in wheezy_pictures[:6]:
        assert set(read(engine, picture, Hints(charset="ABCDEFGH")).text) <= set("ABCDEFGH")
        assert len(read(engine, picture, Hints(min_length=6)).text) >= 6
        assert len(read(engine, picture, Hints(max_length=2)).text) <= 2
        both = read(engine, picture, Hints(charset=CLEAR_UPPER, min_length=5, max_length=5))
        assert len(both.text) == 5
        assert set(both.text) <= set(CLEAR_UPPER)


def test_characters_belong_to_the_text_and_are_at_least_as_sure(
    engine: DdddocrEngine, wheezy_pictures: list[tuple[str, bytes]]
) -> None:
    for _, picture in wheezy_pictures[:10]:
        recognition = read(engine, picture)
        assert "".join(character.text for character in recognition.characters) == recognition.text
        assert all(recognition.confidence <= character.confidence <= 1 for character in recognition.characters)


def test_nothing_on_a_blank_or_noisy_picture_is_trusted(engine: DdddocrEngine) -> None:
    source = random.Random("nothing to read")
    for family in (draw_blank, draw_noise):
        for _ in range(30):
            assert read(engine, family(source).picture).confidence <= NO_TEXT_CONFIDENCE


def test_arithmetic_is_worked_out_with_and_without_being_announced(engine: DdddocrEngine) -> None:
    source = random.Random("sums")
    drawn: list[LabelledPicture] = [draw_arithmetic(source) for _ in range(24)]
    for hints in (Hints(), Hints(kind=CaptchaKind.MATH)):
        recognitions = [read(engine, labelled.picture, hints) for labelled in drawn]
        right = [r for r, labelled in zip(recognitions, drawn, strict=True) if r.text == labelled.truth]
        assert len(right) >= 0.5 * len(drawn)
        assert all(r.kind is CaptchaKind.MATH and r.expression for r in right)


def test_texts_are_not_taken_for_arithmetic(engine: DdddocrEngine) -> None:
    source = random.Random("texts")
    assert all(read(engine, draw_plain(source).picture).kind is CaptchaKind.TEXT for _ in range(15))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (3, 2), (30, 2000)])
def test_pictures_of_any_shape_are_read_in_bounded_time(engine: DdddocrEngine, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    (recognition,) = engine.recognise([pixels], [Hints()])
    assert 0 <= recognition.confidence <= 1


def test_neither_the_room_nor_the_header_reader_loads_the_models_runtime() -> None:
    program = (
        "import sys, captchad.recognition, captchad.domain.picture, captchad.cli.recognise;"
        "loaded = {'numpy', 'onnxruntime', 'PIL', 'cv2', 'ddddocr'} & set(sys.modules);"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_wheel_is_read_without_importing_it() -> None:
    program = (
        "import sys; from captchad.recognition.ddddocr_engine import load_ddddocr_engine; load_ddddocr_engine();"
        "loaded = {'cv2', 'ddddocr'} & set(sys.modules);"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
