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


@pytest.mark.parametrize("text", ["stone table", "quick brown chair", "ABC-123", "XR-4471", "12.5", "WKX 481"])
def test_what_separates_groups_is_read(engine: CaptchadEngine, text: str) -> None:
    found = read(engine, text, Hints())
    assert (found.text, found.kind) == (text, CaptchaKind.TEXT)
    assert "".join(character.text for character in found.characters) == text


@pytest.mark.parametrize("text", ["stonetable", "7KM4WX", "hgbadmwk", "258316"])
def test_nothing_separates_what_is_written_in_one(engine: CaptchadEngine, text: str) -> None:
    assert read(engine, text, Hints()).text == text


def test_separators_obey_the_hints(engine: CaptchadEngine) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert read(engine, "stone table", Hints(charset=letters)).text == "stonetable"
    assert read(engine, "stone table", Hints(charset=f"{letters} ")).text == "stone table"
    assert read(engine, "stone table", Hints(max_length=10)).text == "stonetable"
    assert read(engine, "ABC-123", Hints(min_length=7, max_length=7)).text == "ABC-123"
    assert read(engine, "ABC-123", Hints(charset="ABC123-")).text == "ABC-123"


def test_a_gap_that_may_be_a_space_is_doubted(engine: CaptchadEngine) -> None:
    font = ImageFont.load_default(36)
    wide, narrow = Image.new("L", (200, 56), 235), draw("7K49X")
    pen = ImageDraw.Draw(wide)
    pen.text((12, 6), "7K", fill=20, font=font)
    pen.text((96, 6), "49X", fill=20, font=font)
    doubted, sure = engine.recognise([np.asarray(wide), narrow], [Hints(), Hints()])
    assert doubted.text == sure.text == "7K49X"
    assert doubted.confidence < 0.8 < sure.confidence


def test_ink_that_no_symbol_explains_is_doubted(engine: CaptchadEngine) -> None:
    font = ImageFont.load_default(36)
    picture = Image.new("L", (140, 56), 235)
    pen = ImageDraw.Draw(picture)
    pen.text((12, 6), "7K", fill=20, font=font)
    pen.text((88, 6), "M4", fill=20, font=font)
    explained = read(engine, "7KM4", Hints())
    pen.polygon([(70, 14), (82, 28), (70, 42), (58, 28)], fill=20)
    (doubted,) = engine.recognise([np.asarray(picture)], [Hints()])
    assert doubted.text == explained.text
    assert doubted.confidence < 0.5 < explained.confidence


def test_a_letter_that_the_hints_leave_no_room_for_is_unexplained(engine: CaptchadEngine) -> None:
    pictures, hints = [draw("7KM4")] * 2, [Hints(max_length=3), Hints(max_length=4)]
    features = [found.reading.features for found in engine.read(pictures, hints) if found is not None]
    assert [values.explained for values in features] == [0.5, 1.0]


@pytest.mark.parametrize(
    ("rows", "text", "kind"),
    [
        (("7KM4", "WRTX"), "7KM4WRTX", CaptchaKind.TEXT),
        (("hgb", "2583"), "hgb2583", CaptchaKind.TEXT),
        (("12 +", "5 = ?"), "17", CaptchaKind.MATH),
    ],
)
def test_two_rows_are_read_one_after_the_other(
    engine: CaptchadEngine, rows: tuple[str, str], text: str, kind: CaptchaKind
) -> None:
    first, second = map(draw, rows)
    width = max(first.shape[1], second.shape[1])
    picture = np.concatenate(
        [np.pad(row, ((0, 0), (0, width - row.shape[1])), constant_values=235) for row in (first, second)]
    )
    (found,) = engine.recognise([picture], [Hints()])
    assert (found.text, found.kind) == (text, kind)


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
        self.planes, self.column_width_pixels = model.planes, model.column_width_pixels
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


def draw_in_colours(text: str, ground: tuple[int, ...], inks: Sequence[tuple[int, ...]]) -> Pixels:
    font = ImageFont.load_default(36)
    image, left = Image.new("RGB", (round(font.getlength(text)) + 24, 56), ground), 12.0
    for number, letter in enumerate(text):
        ImageDraw.Draw(image).text((left, 6), letter, fill=inks[number % len(inks)], font=font)
        left += font.getlength(letter)
    return np.asarray(image)


@pytest.mark.parametrize(
    ("text", "ground", "inks"),
    [
        ("7NXLC", (191, 97, 71), ((188, 76, 222), (2, 195, 21), (26, 159, 169))),
        ("HLA9M", (102, 119, 186), ((245, 58, 183), (201, 96, 13), (135, 142, 1))),
        ("CRV39", (102, 117, 118), ((106, 134, 9), (23, 154, 116), (47, 126, 247))),
        ("N3AFE", (109, 189, 136), ((147, 208, 3), (227, 115, 137), (115, 172, 231))),
    ],
)
def test_letters_that_their_brightness_hides_are_found_by_their_colours(
    engine: CaptchadEngine, text: str, ground: tuple[int, ...], inks: Sequence[tuple[int, ...]]
) -> None:
    # No plane of red, green or blue shows all of them, and what is missing leaves no gap to be doubted.
    (found,) = engine.recognise([draw_in_colours(text, ground, inks)], [Hints()])
    assert found.text == text


def test_letters_that_their_brightness_shows_are_looked_at_once() -> None:
    model = CountingModel(load_model())
    picture = draw_in_colours("2583", (255, 255, 255), ((200, 0, 0), (0, 90, 0), (0, 0, 160)))
    CaptchadEngine(cast(Model, model)).recognise([picture], [Hints()])
    assert model.shown == [1]


class SpellingModel:
    """Says of every picture that it shows one text."""

    name, planes, column_width_pixels = "spelling", 1, 4

    def __init__(self, symbols: str, text: str) -> None:
        self.symbols, self.description = symbols, dict[str, object]()
        self._text = text

    def run(self, pictures: Sequence[Prepared]) -> list[LogProbabilities]:
        """Return a column for each symbol of the text, with a blank behind it."""
        likely = [number for symbol in self._text for number in (self.symbols.index(symbol) + 1, 0)]
        output = np.full((len(likely), len(self.symbols) + 1), 1e-4)
        output[range(len(likely)), likely] = 1.0
        return [np.log(output / output.sum(axis=1, keepdims=True))] * len(pictures)


@pytest.mark.parametrize("text", ["AB CD", "AB-12", "1.2", "ABCD"])
def test_a_network_that_knows_separators_is_believed(text: str) -> None:
    engine = CaptchadEngine(cast(Model, SpellingModel("ABCD12+-×/÷=? .", text)))
    # The picture itself shows none.
    assert read(engine, "WRTEK", Hints()).text == text
    assert read(engine, "WRTEK", Hints(charset="ABCD12")).text == "".join(filter(str.isalnum, text))
    assert read(engine, "WRTEK", Hints(charset="ABCD12 -.")).text == text


def test_a_subtraction_stays_one_where_the_network_knows_hyphens() -> None:
    engine = CaptchadEngine(cast(Model, SpellingModel("0123456789+-×/÷=? .", "12-5")))
    found = read(engine, "12-5", Hints())
    assert (found.kind, found.text) == (CaptchaKind.MATH, "7")
