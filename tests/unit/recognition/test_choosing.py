"""Only the characters that are asked for are read: those of one colour, or so many from one end."""

import random
from importlib import resources
from typing import cast

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from captchad.domain.colour import Rgb, parse_colour
from captchad.domain.recognition import CaptchaKind, Character, Hints, Position, Recognition, Side
from captchad.recognition.captchad_engine import CaptchadEngine, load_captchad_engine
from captchad.recognition.choosing import ask_for_all, conclude
from captchad.recognition.colour_choice import choose_letters
from captchad.recognition.decoding import Pixels, decode_views
from captchad.recognition.reading import recognise_decoded
from tests.unit.recognition.pictures import encode, encode_animation

RED: Rgb = (200, 25, 25)
BLUE: Rgb = (30, 60, 220)
GREEN: Rgb = (0, 140, 50)
BLACK: Rgb = (15, 15, 15)
GREY: Rgb = (135, 135, 135)
GOLD: Rgb = (205, 170, 0)
ORANGE: Rgb = (255, 140, 0)
CRIMSON: Rgb = (225, 20, 90)
WHITE: Rgb = (255, 255, 255)
DARK: Rgb = (30, 30, 40)
FONTS = ("plain", "mono")


@pytest.fixture(scope="module")
def engine() -> CaptchadEngine:
    return load_captchad_engine()


def load_font(name: str) -> ImageFont.FreeTypeFont:
    if name == "plain":
        return cast("ImageFont.FreeTypeFont", ImageFont.load_default(38))
    with resources.as_file(resources.files("captcha").joinpath("data", "DroidSansMono.ttf")) as path:
        return ImageFont.truetype(path, 38)


def draw(
    letters: list[tuple[str, Rgb]], ground: Rgb = WHITE, font: str = "plain", lines: tuple[Rgb, ...] = ()
) -> Image.Image:
    """Draw letters beside one another, each in its ink and turned a little."""
    picture = Image.new("RGB", (32 * len(letters) + 24, 60), ground)
    turns = random.Random(len(letters))
    for number, (letter, ink) in enumerate(letters):
        mask = Image.new("L", (44, 56))
        ImageDraw.Draw(mask).text((10, 4), letter, font=load_font(font), fill=255)
        mask = mask.rotate(turns.uniform(-10, 10), resample=Image.Resampling.BICUBIC)
        picture.paste(ink, (32 * number + 8, 2), mask)
    for number, ink in enumerate(lines):
        ImageDraw.Draw(picture).line([(0, 15 + 12 * number), (picture.width, 45 - 12 * number)], fill=ink)
    return picture


def read(engine: CaptchadEngine, picture: bytes, hints: Hints) -> Recognition:
    (found,) = recognise_decoded(engine, [decode_views(picture)], [hints])
    return found


def as_pixels(picture: Image.Image) -> Pixels:
    return np.asarray(picture)


MIXED = [("7", BLUE), ("K", RED), ("M", GOLD), ("4", RED), ("H", BLACK), ("X", RED), ("9", GREEN)]


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize(
    ("colour", "text"),
    [("red", "K4X"), ("#1030e0", "7"), ("black", "H"), ("green", "9"), ("gold", "M"), ("RED", "K4X")],
)
def test_only_letters_of_the_colour_are_read(engine: CaptchadEngine, font: str, colour: str, text: str) -> None:
    found = read(engine, encode(draw(MIXED, font=font)), Hints(colour=colour, charset="7KM4HX9"))
    assert found.text == text
    assert not found.is_whole
    assert read(engine, encode(draw(MIXED, font=font)), Hints(charset="7KM4HX9")).text == "7KM4HX9"


@pytest.mark.parametrize("ground", [WHITE, (225, 235, 245), DARK])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_grounds_lines_and_smeared_colours_make_no_difference(engine: CaptchadEngine, ground: Rgb, form: str) -> None:
    letters = [("R", RED), ("7", GOLD), ("T", RED), ("A", GREEN), ("4", RED), ("W", GOLD)]
    picture = encode(draw(letters, ground, lines=(GOLD, GREEN, GREY)), form)
    assert read(engine, picture, Hints(colour="red", charset="R7TA4W")).text == "RT4"


def test_black_letters_are_told_from_grey_ones(engine: CaptchadEngine) -> None:
    picture = encode(draw([("R", GREY), ("7", BLACK), ("T", GREY), ("4", BLACK), ("W", BLACK)]))
    assert read(engine, picture, Hints(colour="black", charset="R7T4W")).text == "74W"
    assert read(engine, picture, Hints(colour="gray", charset="R7T4W")).text == "RT"


def test_letters_of_the_colour_are_read_in_an_animation(engine: CaptchadEngine) -> None:
    letters = [("K", RED), ("7", BLUE), ("M", RED), ("4", RED)]
    frames = [draw(letters, lines=(line,)) for line in (GREEN, GREY, BLUE)]
    assert read(engine, encode_animation(frames), Hints(colour="red")).text == "KM4"


def test_where_there_is_no_such_letter_nothing_is_read(engine: CaptchadEngine) -> None:
    for picture in (draw([("K", RED), ("7", GOLD)]), draw([("K", BLACK), ("7", GREY)]).convert("L")):
        assert read(engine, encode(picture), Hints(colour="blue")).text == ""
        assert choose_letters(as_pixels(picture), (0, 0, 255)).certainty == 0
    # In the colour of the ground nothing can be written.
    assert choose_letters(as_pixels(draw([("K", RED)])), WHITE).certainty == 0


def test_an_ink_near_the_colour_makes_it_less_certain(engine: CaptchadEngine) -> None:
    apart = choose_letters(as_pixels(draw([("K", RED), ("7", BLUE), ("M", RED)])), (255, 0, 0))
    near = choose_letters(as_pixels(draw([("K", RED), ("7", CRIMSON), ("M", RED)])), (235, 10, 65))
    assert apart.certainty == 1
    assert near.certainty < 0.8
    far = choose_letters(as_pixels(draw([("K", ORANGE), ("7", BLUE)])), (255, 40, 100))
    assert far.certainty < 0.8
    hints = Hints(colour="#eb0a41", charset="K7M")
    doubtful = read(engine, encode(draw([("K", RED), ("7", CRIMSON), ("M", RED)])), hints)
    assert doubtful.confidence < 0.8


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (900, 2, 3), (60, 160), (700, 900, 3)])
def test_any_picture_can_be_chosen_from(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    for colour in ("red", "black", "white"):
        rgb = parse_colour(colour)
        assert rgb is not None
        chosen = choose_letters(pixels, rgb)
        assert chosen.pixels.dtype == np.uint8
        assert 0 <= chosen.certainty <= 1


@pytest.mark.parametrize(
    ("colour", "rgb"),
    [
        ("Red", (255, 0, 0)),
        ("rebeccapurple", (102, 51, 153)),
        ("#0a0B0c", (10, 11, 12)),
        ("#fff", None),
        ("rouge", None),
    ],
)
def test_colours_are_those_of_css(colour: str, rgb: Rgb | None) -> None:
    assert parse_colour(colour) == rgb


@pytest.mark.parametrize(("position", "text"), [("last", "HX9"), ("first", "7KM")])
def test_so_many_characters_from_one_end_are_wanted(engine: CaptchadEngine, position: str, text: str) -> None:
    picture = encode(draw([(letter, BLACK) for letter, _ in MIXED]))
    whole = read(engine, picture, Hints())
    found = read(engine, picture, Hints(position=Position(Side(position), 3)))
    assert (whole.text, found.text) == ("7KM4HX9", text)
    assert "".join(one.text for one in found.characters) == text
    assert found.confidence >= whole.confidence
    assert not found.is_whole


def test_colour_and_position_go_together(engine: CaptchadEngine) -> None:
    hints = Hints(colour="red", position=Position(Side.LAST, 2), charset="7KM4HX9")
    assert read(engine, encode(draw(MIXED)), hints).text == "4X"


def test_a_text_has_at_least_as_many_characters_as_are_wanted() -> None:
    asked = ask_for_all(Hints(min_length=2, position=Position(Side.LAST, 4)))
    assert (asked.min_length, asked.kind, asked.position) == (4, CaptchaKind.TEXT, None)


def test_spaces_are_not_counted_and_confidence_is_that_of_what_is_taken() -> None:
    characters = tuple(Character(letter, 0.5 if letter == "a" else 0.9) for letter in "ab c")
    taken = conclude(
        Recognition("ab c", 0.4, "test", characters=characters), Hints(position=Position(Side.LAST, 2)), certainty=1.0
    )
    assert (taken.text, taken.confidence) == ("bc", 0.81)
    assert [one.text for one in taken.characters] == ["b", "c"]


def test_without_such_hints_nothing_changes() -> None:
    found = Recognition("abc", 0.4, "test")
    assert conclude(found, Hints(), certainty=1.0) is found
