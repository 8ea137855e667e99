"""The pictures: of the right size, each drawn anew, nothing but pixels in them."""

import io
import subprocess
import sys

from PIL import Image

from captchad.sample_site.decoys import draw_decoys
from captchad.sample_site.drawing import ALPHABET, HEIGHT_PIXELS, TEXT_LENGTH, WIDTH_PIXELS, Artist, pick_text


def open_picture(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def test_same_text_is_drawn_differently_each_time() -> None:
    artist = Artist()
    assert artist.draw("abcd") != artist.draw("abcd")


def test_picture_bears_no_metadata() -> None:
    picture = open_picture(Artist().draw("abcd"))
    assert picture.size == (WIDTH_PIXELS, HEIGHT_PIXELS)
    assert picture.info == {}


def test_texts_are_of_the_alphabet_and_differ() -> None:
    texts = {pick_text() for _ in range(50)}
    assert len(texts) > 40
    assert all(len(text) == TEXT_LENGTH and set(text) <= set(ALPHABET) for text in texts)


def test_font_is_found_without_importing_its_package() -> None:
    # In a process of its own: here other tests import what they like.
    program = "import sys, captchad.sample_site.drawing as d; d.Artist(); sys.exit('captcha' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_decoys_are_the_same_every_time() -> None:
    decoys = draw_decoys()
    assert set(decoys) == {"logo.png", "avatar.png", "qr.png", "advert.png"}
    assert decoys == draw_decoys()
    assert all(open_picture(data).format == "PNG" for data in decoys.values())
