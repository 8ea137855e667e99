"""Families drawn by generators that others published on PyPI."""

import importlib
import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from types import ModuleType
from typing import Any

from captcha import image as captcha_image
from PIL import Image
from wheezy.captcha import image as wheezy

from captchad.recognition.flattening import drop_false_colours, flatten
from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.fonts import list_fonts
from captchad.training.pictures.lettering import choose_fonts
from captchad.training.pictures.texts import draw_text
from captchad.training.sample import Sample

_OWN_FONT_CHANCE = 0.5
_DEFAULT_SIZE_CHANCE = 0.5
_GVCODE_WIDTH_PIXELS = 200
_WHEEZY_FONTS = ("LiberationMono-Bold", "CourierNew-Bold")
_WHEEZY_LETTER_PIXELS = 50
_USUAL_CHARSETS = {ascii_uppercase + digits: 2, ascii_lowercase + digits: 1, digits: 1}


@contextmanager
def seeded_globally(source: random.Random) -> Iterator[None]:
    """Seed the global generator, which published packages draw from."""
    state = random.getstate()
    random.seed(source.getrandbits(64))
    try:
        yield
    finally:
        random.setstate(state)


class SeededSecrets:
    """Stands in for the `secrets` module, with numbers that can be drawn again."""

    def __init__(self, source: random.Random) -> None:
        self.randbits = source.getrandbits
        self.choice = source.choice
        self.randbelow = source.randrange
        self.token_hex = lambda count: source.randbytes(count).hex()


@contextmanager
def with_seeded_secrets(module: ModuleType, source: random.Random) -> Iterator[None]:
    """Return a module seeded numbers in place of the system's randomness."""
    genuine = vars(module)["secrets"]
    vars(module)["secrets"] = SeededSecrets(source)
    try:
        yield
    finally:
        vars(module)["secrets"] = genuine


class CaptchaFamily:
    """PyPI's captcha: letters turned and warped one by one, dots and an arc of their colour."""

    name = "captcha"

    def draw(self, source: random.Random) -> Sample:
        """Draw with all of its defaults every second time."""
        if is_default(source):
            shown, options = draw_text(source, _USUAL_CHARSETS, shortest=4, longest=6), {}
        else:
            shown = draw_text(source, shortest=3, longest=8)
            options = self._draw_options(source, shown.text)
        generator = captcha_image.ImageCaptcha(**options)
        with with_seeded_secrets(captcha_image, source):
            drawn = generator.generate_image(shown.text)
        return make_sample(drawn, shown.text, self.name)

    def _draw_options(self, source: random.Random, text: str) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if source.random() >= _DEFAULT_SIZE_CHANCE:
            height = source.randint(40, 100)
            options["height"] = height
            options["width"] = min(300, max(90, round(height * len(text) * source.uniform(0.4, 0.75))))
            options["font_sizes"] = tuple(round(height * share) for share in (0.65, 0.75, 0.85))
        if source.random() >= _OWN_FONT_CHANCE:
            options["fonts"] = [str(font) for font in choose_fonts(source, text)]
        return options


class WheezyFamily:
    """wheezy.captcha: large warped letters, a thick curve of their colour across, dots of the ground's."""

    name = "wheezy.captcha"

    def draw(self, source: random.Random) -> Sample:
        """Draw as its documentation does, four letters of a bold typewriter's font; or any few letters in any font."""
        documented = tuple(font for font in list_fonts() if font.stem in _WHEEZY_FONTS)
        if is_default(source) and documented:
            shown, fonts = draw_text(source, {ascii_uppercase + digits: 1}, shortest=4, longest=4), documented
        else:
            shown = draw_text(source, shortest=3, longest=6)
            fonts = choose_fonts(source, shown.text)
        drawings = [
            wheezy.background(),
            wheezy.text(
                fonts=[str(font) for font in fonts], drawings=[wheezy.warp(), wheezy.rotate(), wheezy.offset()]
            ),
            wheezy.curve(),
            wheezy.noise(),
            wheezy.smooth(),
        ]
        width = max(200, _WHEEZY_LETTER_PIXELS * len(shown.text))
        with seeded_globally(source):
            drawn = wheezy.captcha(drawings=drawings, width=width)(list(shown.text))
        return make_sample(drawn, shown.text, self.name)


class GvcodeFamily:
    """gvcode: single letters turned, lines and dots across.

    They are turned by up to a quarter, where an N is a Z, and the last one is cut off: few readers get all.
    """

    name = "gvcode"

    def __init__(self) -> None:
        self._package = importlib.import_module("gvcode")

    def draw(self, source: random.Random) -> Sample:
        """Draw with its defaults, with and without dots."""
        shown = draw_text(source, shortest=3, longest=6)
        with seeded_globally(source):
            # Six letters would lie on each other in its usual picture, which is made for five.
            width = max(_GVCODE_WIDTH_PIXELS, len(shown.text) * _GVCODE_WIDTH_PIXELS // 5)
            maker = self._package.VFCode(width, draw_dots=source.random() < 0.5)
            maker.generate(shown.text)
            drawn = Image.open(io.BytesIO(maker.get_img_bytes()))
        return make_sample(drawn, shown.text, self.name)


class MulticolorFamily:
    """multicolorcaptcha: many fonts on coloured grounds, turned far, lines of the letters' colour across each.

    The letters are small in their picture, and its lines join them: few readers get all four.
    """

    name = "multicolorcaptcha"

    def __init__(self) -> None:
        self._package = importlib.import_module("multicolorcaptcha")

    def draw(self, source: random.Random) -> Sample:
        """Draw at its smaller sizes, digits as often as letters since digits are its default."""
        with seeded_globally(source):
            generator = self._package.CaptchaGenerator(source.randint(0, 1))
            drawn = generator.gen_captcha_image(
                source.choice((0, 0, 1, 2)),
                source.choice(("nums", "nums", "hex", "ascii")),
                multicolor=source.random() < 0.3,
                margin=source.random() < 0.1,
            )
        return make_sample(drawn.image, drawn.characters, self.name)


class FlaskSimpleFamily:
    """flask-simple-captcha: white letters on black with lines."""

    name = "flask-simple-captcha"

    def __init__(self) -> None:
        self._package = importlib.import_module("flask_simple_captcha.img")
        self._fonts = sorted((Path(self._package.__file__ or "").parent / "fonts").glob("*.ttf"))

    def draw(self, source: random.Random) -> Sample:
        """Draw with its own fonts."""
        text = "".join(source.choices(ascii_uppercase + digits, k=source.randint(4, 6)))
        with seeded_globally(source):
            drawn = self._package.create_text_img(text, str(source.choice(self._fonts)))
        return make_sample(drawn, text, self.name)


def make_sample(drawn: Image.Image, text: str, family: str) -> Sample:
    """Lay a drawing on a page as a reader does: on white, or on black where it was drawn for that."""
    drawn.load()
    flat = flatten(drawn)
    return Sample(drop_false_colours(flat.on_black if flat.is_clearer_on_black else flat.on_white), text, family)
