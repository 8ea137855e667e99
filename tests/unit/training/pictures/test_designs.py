import random
import string

import numpy as np
import pytest

from captchad.training.alphabet import SYMBOLS
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, write_row
from captchad.training.pictures.designs import DESIGNS, DesignFamily
from captchad.training.pictures.designs_arithmetic import DESIGNS as ARITHMETIC_DESIGNS
from captchad.training.pictures.designs_arithmetic import DesignArithmeticFamily, draw_spelled_arithmetic
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.texts import LENGTH_MOST

TEXTS = ("x7K", "R4tm", "ab3kd", "HW82QE", "4m7n2p9r")


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.__name__)
def test_every_design_gives_a_picture_of_a_captchas_size_with_contrast(design: Design) -> None:
    for text in TEXTS:
        picture = design(text, random.Random(text)).clip(0, 255)
        height, width = picture.shape
        assert 18 <= height <= 140
        assert 40 <= width <= 450
        low, high = np.percentile(picture, (1, 99))
        assert high - low > 50


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.__name__)
def test_every_design_depends_on_the_random_source_alone(design: Design) -> None:
    random.seed(1)
    first = design("k4Wp", random.Random(7))
    random.seed(2)
    assert np.array_equal(first, design("k4Wp", random.Random(7)))
    assert not np.array_equal(first, design("k4Wp", random.Random(8)))


def test_designs_are_many_and_all_reached() -> None:
    assert len(DESIGNS) >= 100
    assert min(DESIGNS.values()) > 0


def test_no_two_designs_of_a_name() -> None:
    names = [design.__name__ for design in DESIGNS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("family", [DesignFamily(), DesignArithmeticFamily()], ids=lambda family: family.name)
def test_a_familys_pictures_are_grey_or_coloured_and_their_texts_of_the_alphabet(
    family: DesignFamily | DesignArithmeticFamily,
) -> None:
    dimensions = set()
    for number in range(30):
        sample = family.draw(random.Random(number))
        assert sample.picture.dtype == np.uint8
        dimensions.add(sample.picture.ndim)
        assert sample.family == family.name
        assert 0 < len(sample.text) <= LENGTH_MOST
        assert set(sample.text) <= set(SYMBOLS)
    assert dimensions == {2, 3}


@pytest.mark.parametrize("design", ARITHMETIC_DESIGNS, ids=lambda design: design.__name__)
def test_designs_of_arithmetic_have_the_signs_and_leave_spaces(design: Design) -> None:
    picture = design("12 ÷ 3 × 5 = ?", random.Random(4)).clip(0, 255)
    assert picture.shape[1] <= 450
    assert picture.std() > 5


def test_arithmetic_is_drawn_as_spelled_and_read_in_one_spelling() -> None:
    drawn = [draw_spelled_arithmetic(random.Random(number)) for number in range(400)]
    assert all(len(shown.text) <= LENGTH_MOST and " " not in shown.text for shown in drawn)
    assert any("x" in shown.drawn and "×" in shown.text for shown in drawn)
    assert any(" + " in shown.drawn for shown in drawn)
    assert any("+ " in shown.drawn and " +" not in shown.drawn for shown in drawn)
    assert all(set(shown.text) <= set("0123456789+-×÷/=?") for shown in drawn)


def test_what_is_divided_comes_out_even() -> None:
    texts = [
        draw_spelled_arithmetic(random.Random(number)).text.rstrip("=?").replace("/", "÷") for number in range(900)
    ]
    divisions = [text.split("÷") for text in texts if text.count("÷") == 1 and text.replace("÷", "").isdigit()]
    assert len(divisions) > 10
    assert all(int(divided) % int(divisor) == 0 for divided, divisor in divisions)


def test_a_row_fits_its_picture_whatever_the_text() -> None:
    source = random.Random(3)
    for length in range(1, 13):
        text = "".join(source.choices(string.ascii_uppercase, k=length))
        row = Row(choose_kind(source, text, "bold"), size=1.0, pose=Pose(turn_degrees=30), gap=0.2)
        written = write_row(text, (120, 40), row, source)
        assert written.cover.shape == written.grey.shape == (40, 120)
        edges = [written.cover[0], written.cover[-1], written.cover[:, 0], written.cover[:, -1]]
        assert max(edge.max() for edge in edges) < 0.05
        assert written.cover.max() > 0.8


def test_signs_are_hardly_turned_so_that_plus_stays_plus() -> None:
    fonts = choose_kind(random.Random(0), "+", "bold")
    row = Row(fonts, size=1.0, pose=Pose(turn_degrees=45))
    middles = [write_row("+", (60, 60), row, random.Random(number)).cover[30].sum() for number in range(12)]
    assert min(middles) > 12


def test_a_picture_is_wider_for_more_characters_but_not_without_end() -> None:
    few, many = (choose_size("x" * count, random.Random(1), (100, 100), (40, 40), 4)[0] for count in (3, 8))
    assert few == 100
    assert many == 200
    assert choose_size("x" * 60, random.Random(1), (100, 100), (40, 40), 4)[0] < 400


def count_gaps(cover: Numbers) -> int:
    is_inked = np.flatnonzero(cover.max(0) > 0.3)
    return int((np.diff(is_inked) > 1).sum())


def test_turned_letters_touch_where_they_are_trimmed() -> None:
    fonts = choose_kind(random.Random(0), "LLLL", "bold")
    gaps = {}
    for is_trimmed in (False, True):
        row = Row(fonts, size=0.6, pose=Pose(turn_degrees=25), gap=-0.12, is_trimmed=is_trimmed)
        covers = [write_row("LLLL", (300, 60), row, random.Random(number)).cover for number in range(8)]
        gaps[is_trimmed] = sum(map(count_gaps, covers))
    assert gaps[False] > 8
    assert gaps[True] == 0
