"""How packages of PyPI draw texts, letter by letter, with lines and dots.

The extra `generators` installs most of them. Those whose metadata ask for an old Pillow, or a second OpenCV, draw with
today's all the same: `pip install --no-deps captchakit redj-captcha sicaptcha silver-captcha simpel-captcha
util-captcha x-captcha xcaptcha`.
"""

import io
import random
from pathlib import Path
from string import ascii_uppercase, digits
from types import ModuleType
from typing import Any

from PIL import Image

from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.fonts import has_lower_case, load_font
from captchad.training.pictures.lettering import choose_fonts
from captchad.training.pictures.pypi_package import Drawn, Package
from captchad.training.pictures.texts import UPPER_CHARSETS, draw_text

_UTIL_TOP_PIXELS = 1

Options = dict[str, Any]


class NamedBuffer(io.BytesIO):
    """Takes a picture that a package insists on saving."""

    name = "captcha.png"


def choose_font(source: random.Random, text: str) -> str:
    """Choose a font for a package that brings none."""
    return str(choose_fonts(source, text)[0])


def _draw_claptcha(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, shortest=4, longest=7).text
    options: Options = {}
    if not is_default(source):
        height = source.randint(40, 100)
        options = {
            "size": (round(height * len(text) * source.uniform(0.4, 0.7)), height),
            "margin": (height // 4, height // 4),
            "noise": source.choice((0, 0, 0.3, 0.6)),
        }
    shown, drawn = package.Claptcha(text, choose_font(source, text), **options).image
    return drawn, shown


def _draw_bettercaptcha(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, shortest=4).text
    options: Options = {
        "background": source.choice((None, None, "color", "random")),
        "distortion": source.random() < 0.5,
        "lines": source.choice((None, 3, 6, 10)),
        "points": source.choice((None, 10, 30)),
        "frame": source.random() < 0.3,
    }
    if not is_default(source):
        options["font_size"] = source.randint(20, 48)
        options["color"] = tuple(source.randrange(140) for _ in range(3))
    made = package.CaptchaImage(font=choose_font(source, text), text=text, **options)
    return made.create(), text


def _draw_captchagen(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, shortest=3, longest=8).text
    options: Options = {
        "noise": source.random() < 0.7,
        "rotate": source.random() < 0.7,
        "random_color": source.random() < 0.7,
    }
    if not is_default(source):
        options |= {"width": source.randint(120, 300), "height": source.randint(40, 110)}
        options |= {"dot_count": source.randint(0, 300), "line_count": source.randint(0, 14)}
    fonts = choose_fonts(source, text)
    generator = package.CaptchaGenerator.__new__(package.CaptchaGenerator)
    generator.fonts = [str(font) for font in fonts]
    generator.config = package.CaptchaConfig(**options)
    generator._random_text = lambda: text
    made: Drawn = generator.generate()
    return made


def _draw_fast(package: ModuleType, source: random.Random) -> Drawn:
    options: Options = {"font_type": source.choice(sorted(package.get_ttf()))}
    if not is_default(source):
        count = source.randint(4, 6)
        options |= {"code_num": count, "width": count * source.randint(27, 36), "height": source.randint(36, 48)}
        options |= {"lines_num": source.randint(0, 8), "draw_points": source.random() < 0.6}
        options["points_density"] = source.randint(1, 10)
    drawn, text = package.img_captcha(img_byte="file", **options)
    return drawn, text if has_lower_case(Path(options["font_type"])) else text.upper()


def _draw_kaptcha(package: ModuleType, source: random.Random) -> Drawn:
    options: Options = {}
    length = 4
    if not is_default(source):
        length = source.randint(4, 6)
        options = {"width": length * source.randint(45, 60), "height": source.randint(60, 125)}
        options |= {"chips": source.randint(1, 6), "mode": source.choice(("RGB", "RGB", "L"))}
        options[source.choice(("contour", "enhance", "edge", "emboss", "imageObj"))] = True
    maker = package.Captcha(**{**options, "imageObj": True})
    ask = source.choice((maker.letter, maker.digit, maker.letter_digit))
    text, drawn = ask(length)
    return drawn, text


def _draw_pyimgcaptcha(package: ModuleType, _source: random.Random) -> Drawn:
    buffer = NamedBuffer()
    text = package.generate_captcha(buffer)
    return Image.open(buffer), text


def _draw_randcaptcha(package: ModuleType, source: random.Random) -> Drawn:
    buffer = NamedBuffer()
    font = choose_font(source, ascii_uppercase + digits)
    options: Options = {}
    size = 25
    if not is_default(source):
        size = source.randint(20, 48)
        options = {"length": source.randint(4, 7), "background": (source.randint(20, 235),) * 3}
        options |= {"addgarbage": source.random() < 0.8, "rotate": source.choice(((-60, 60), (-30, 30), (0, 40), None))}
    text, _ = package.CreateImageCaptcha(font, size, filename_out=buffer, **options)
    return Image.open(buffer), text


def _draw_simpel(package: ModuleType, source: random.Random) -> Drawn:
    options: Options = {}
    if not is_default(source):
        count = source.choice((4, 4, 5))
        height = source.choice((50, 60, 70, 80))
        options = {"code_num": count, "height": height, "width": count * source.choice((34, 38, 44))}
        options["font_size"] = source.randint(26, 42)
    made: Drawn = package.img_captcha(**options)
    return made


def _draw_util(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, UPPER_CHARSETS, shortest=4, longest=6).text
    maker = package.ImageCaptcha()
    options: Options = {}
    curves, dots = 3, 90
    if not is_default(source):
        height = source.randint(40, 60)
        maker.redraw(
            width=len(text) * source.randint(26, 40), height=height, background=(0, 0, 0, source.choice((0, 33)))
        )
        font, size = choose_font(source, text), round(height * source.uniform(0.5, 0.7))
        options = {"font_path": font, "font_size": _fit(font, text, size, height)}
        options["space_evenly"] = source.random() < 0.6
        curves, dots = source.randint(0, 6), source.randint(0, 200)
    maker.draw_chars(text, **options)
    maker.draw_noise_curve(curves)
    maker.draw_noise_dots(dots)
    return maker.canvas, text


def _fit(font: str, text: str, size_pixels: int, height_pixels: int) -> int:
    """Make a size smaller until the letters, as far down as they are drawn, are less high than their picture."""
    while load_font(Path(font), size_pixels).getbbox(text)[3] + _UTIL_TOP_PIXELS >= height_pixels:
        size_pixels -= 1
    return size_pixels


GENERATORS = {
    "claptcha": Package("claptcha", _draw_claptcha, is_for_old_pillow=True),
    "bettercaptcha": Package("bettercaptcha", _draw_bettercaptcha, is_for_old_pillow=True),
    "CaptchaGen": Package("CaptchaGen.CaptchaGen", _draw_captchagen),
    "fast-captcha": Package("fast_captcha.img_captcha", _draw_fast),
    "kaptcha": Package("kaptcha.captcha", _draw_kaptcha, is_for_old_pillow=True),
    "pyimgcaptcha": Package("pyimgcaptcha.module", _draw_pyimgcaptcha),
    "randcaptcha": Package("randcaptcha", _draw_randcaptcha),
    "simpel-captcha": Package("simpel_captcha.src", _draw_simpel),
    "util-captcha": Package("util_captcha", _draw_util),
}
"""How each draws, by the name of the family."""
