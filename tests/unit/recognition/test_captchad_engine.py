"""captchad's own engine: what the hints decide, and what the model's file must be."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from captchad.domain.errors import DependencyMissing
from captchad.domain.recognition import CaptchaKind, Hints, Recognition
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.ctc import LogProbabilities
from captchad.recognition.decoding import Pixels
from captchad.recognition.model import Model, load_model
from captchad.recognition.preparation import Prepared


@pytest.fixture(scope="module")
def engine() -> CaptchadEngine:
    return load_captchad_engine()


def draw(text: str) -> Pixels:
    font = ImageFont.load_default(36)
    image = Image.new("L", (round(font.getlength(text)) + 24, 56), 235)
    ImageDraw.Draw(image).text((12, 6), text, fill=20, font=font)
    return np.asarray(image)


def read(engine: CaptchadEngine, text: str, hints: Hints) -> Recognition:
    (found,) = engine.recognise([draw(text)], [hints])
    return found


@pytest.mark.parametrize("text", ["7KM4", "hgbad", "2583", "WRTEK"])
def test_plain_letters_are_read_without_hints(engine: CaptchadEngine, text: str) -> None:
    found = read(engine, text, Hints())
    assert (found.text, found.kind, found.expression) == (text, CaptchaKind.TEXT, None)
    assert "".join(character.text for character in found.characters) == text


@pytest.mark.parametrize(
    ("drawn", "expression", "answer"), [("3+8=?", "3 + 8", "11"), ("12-4=", "12 - 4", "8"), ("4-9=", "4 - 9", "-5")]
)
def test_arithmetic_is_found_and_worked_out(engine: CaptchadEngine, drawn: str, expression: str, answer: str) -> None:
    for hints in (Hints(), Hints(kind=CaptchaKind.MATH)):
        found = read(engine, drawn, hints)
        assert (found.kind, found.expression, found.text) == (CaptchaKind.MATH, expression, answer)


def test_arithmetic_is_text_where_the_caller_says_so(engine: CaptchadEngine) -> None:
    found = read(engine, "3+8=", Hints(kind=CaptchaKind.TEXT, charset="0123456789+-="))
    assert (found.kind, found.text) == (CaptchaKind.TEXT, "3+8=")


def test_letters_come_in_the_case_that_the_charset_has(engine: CaptchadEngine) -> None:
    lower, upper = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert read(engine, "SCVWX", Hints(charset=lower)).text == "scvwx"
    assert read(engine, "scvwx", Hints(charset=upper)).text == "SCVWX"
    assert read(engine, "KmgT", Hints(case_sensitive=False)).text == "kmgt"


@pytest.mark.parametrize("length", [3, 4, 5])
def test_the_best_text_of_the_wanted_length_is_given(engine: CaptchadEngine, length: int) -> None:
    found = read(engine, "7KM4", Hints(min_length=length, max_length=length, kind=CaptchaKind.TEXT))
    assert len(found.text) == length
    assert (found.text == "7KM4") == (length == 4)


def test_a_text_forced_to_a_wrong_length_is_trusted_less(engine: CaptchadEngine) -> None:
    right = read(engine, "7KM4", Hints(min_length=4, max_length=4))
    forced = read(engine, "7KM4", Hints(min_length=6, max_length=6))
    assert forced.confidence < right.confidence


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(DependencyMissing, match=r"model\.onnx can't be loaded"):
        load_captchad_engine(path)
    path.write_bytes(b"rubbish")
    with pytest.raises(DependencyMissing, match=r"model\.onnx can't be loaded"):
        load_captchad_engine(path)


class CountingModel:
    """Runs another model, and remembers how many pictures it was shown at a time."""

    def __init__(self, model: Model) -> None:
        self.name, self.symbols, self.description = model.name, model.symbols, model.description
        self.planes = model.planes
        self.shown: list[int] = []
        self._model = model

    def run(self, pictures: Sequence[Prepared]) -> list[LogProbabilities]:
        """Run them."""
        self.shown.append(len(pictures))
        return self._model.run(pictures)


def test_only_what_is_not_clear_is_looked_at_again() -> None:
    model = CountingModel(load_model())
    CaptchadEngine(cast(Model, model)).recognise([draw("2583"), draw("lIO0o")], [Hints(), Hints()])
    assert model.shown == [2, 1]
