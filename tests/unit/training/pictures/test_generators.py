import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.generators import make_sample


def draw_letter(mode: str, ground: str | tuple[int, ...], ink: str) -> Image.Image:
    image = Image.new(mode, (40, 20), ground)
    ImageDraw.Draw(image).rectangle((15, 4, 25, 15), ink)
    return image


def test_a_drawing_on_nothing_is_laid_on_white() -> None:
    picture = make_sample(draw_letter("RGBA", (0, 0, 0, 0), "black"), "1", "any").picture
    assert picture[0, 0] == 255
    assert picture[10, 20] == 0


def test_what_was_drawn_for_a_dark_page_is_laid_on_black() -> None:
    picture = make_sample(draw_letter("RGBA", (0, 0, 0, 0), "white"), "1", "any").picture
    assert picture[0, 0] == 0
    assert picture[10, 20] == 255


def test_letters_as_bright_as_their_ground_show_by_their_colour() -> None:
    picture = make_sample(draw_letter("RGB", (0, 130, 0), "#ff0000"), "1", "any").picture
    assert picture[0, 0].tolist() == [0, 130, 0]
    assert picture[10, 20].tolist() == [255, 0, 0]


def test_a_palette_is_read_as_its_colours() -> None:
    picture = make_sample(draw_letter("RGB", "white", "black").convert("P"), "1", "any").picture
    assert picture.dtype == np.uint8
    assert np.ptp(picture) == 255
