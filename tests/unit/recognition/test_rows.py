"""Two rows of letters are found, and nothing else is taken for them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from captchad.recognition.flattening import Pixels
from captchad.recognition.ink import find_ink
from captchad.recognition.preparation import prepare
from captchad.recognition.rows import lay_rows_in_line


def draw(*rows: str, size: int = 30) -> Image.Image:
    font = ImageFont.load_default(size)
    width = round(max(font.getlength(row) for row in rows)) + size
    image = Image.new("L", (width, round(size * (1.3 * len(rows) + 0.4))), 235)
    for number, row in enumerate(rows):
        ImageDraw.Draw(image).text((size // 2, size * (0.2 + 1.3 * number)), row, fill=20, font=font)
    return image


def lay(image: Image.Image) -> Pixels | None:
    pixels = np.asarray(image)
    return lay_rows_in_line(pixels, find_ink(prepare(pixels)))


@pytest.mark.parametrize("rows", [("7KM4", "WRTX"), ("hgb", "k583"), ("12 +", "5 = ?"), ("PLATE", "47")])
@pytest.mark.parametrize("size", [16, 30, 60])
def test_the_second_row_stands_behind_the_first(rows: tuple[str, str], size: int) -> None:
    line = lay(draw(*rows, size=size))
    assert line is not None
    assert line.shape[1] > 2 * line.shape[0]
    ink = find_ink(prepare(line))
    halves = [int(half.sum()) for half in np.array_split(ink, 2, axis=1)]
    assert min(halves) > 0.2 * sum(halves)


def test_a_line_drawn_across_both_rows_does_not_join_them() -> None:
    image = draw("7KM4", "WRTX")
    ImageDraw.Draw(image).line((0, 0, *image.size), fill=60, width=1)
    assert lay(image) is not None


@pytest.mark.parametrize("rows", [("7KM4",), ("hgbyq",), ("i=:",), ("7KM4", "WRTX", "PHG2")])
def test_one_row_or_three_are_not_two(rows: tuple[str, ...]) -> None:
    assert lay(draw(*rows)) is None


def test_a_line_below_the_letters_is_no_row() -> None:
    image = draw("7KM4")
    ImageDraw.Draw(image).line((0, 46, image.width, 46), fill=20, width=3)
    assert lay(image) is None


def test_a_grid_has_no_rows() -> None:
    image = draw("7KM4")
    for y in range(0, image.height, 6):
        ImageDraw.Draw(image).line((0, y, image.width, y), fill=20, width=2)
    assert lay(image) is None


def test_nothing_has_no_rows() -> None:
    assert lay(Image.new("L", (120, 50), 200)) is None
