"""How packages of PyPI draw arithmetic."""

import io
import random
from pathlib import Path
from types import ModuleType

from PIL import Image

from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.fonts import has_characters
from captchad.training.pictures.pypi_generators import Options, choose_font
from captchad.training.pictures.pypi_package import Drawn, Package
from captchad.training.pictures.pypi_warped import draw_rendered

_EASY_SIGNS = "+-x=?"


def _draw_easy_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    maker = package.ArithmeticCaptcha()
    if not is_default(source):
        height = source.randint(36, 60)
        maker = package.ArithmeticCaptcha(source.randint(120, 170), height, source.choice((2, 2, 3)))
        maker.set_font(_choose_font_with_signs(package, source), round(height * source.uniform(0.5, 0.66)))
    buffer = io.BytesIO()
    maker.out(buffer)
    return Image.open(buffer), maker.get_arithmetic_string().replace("x", "×")


def _choose_font_with_signs(package: ModuleType, source: random.Random) -> int:
    folder = Path(package.__path__[0]) / "fonts"
    names = package.constants.FONT_NAMES
    return source.choice([n for n, name in enumerate(names) if has_characters(folder / name, _EASY_SIGNS)])


def _draw_captchakit_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    one, other = source.randint(1, 10), source.randint(1, 10)
    drawn = f"{one} {source.choice('+-*')} {other} = ?"
    options: Options = {}
    if not is_default(source):
        theme = package.Theme
        options = {"theme": source.choice((theme.CLASSIC, theme.DARK, theme.PASTEL, theme.HIGH_CONTRAST))}
        options |= {"width": source.randint(200, 320), "height": source.randint(60, 90)}
        options |= {"font_size": source.randint(30, 44), "font_path": choose_font(source, drawn)}
    return Image.open(io.BytesIO(package.ImageRenderer(**options)._render_sync(drawn))), drawn


def _draw_captcha_generator_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    most = source.choice((10, 20, 20, 50, 99))
    one, other = sorted((source.randint(1, most) for _ in range(2)), reverse=True)
    drawn = f"{one} {source.choice('+-*')} {other}"
    return draw_rendered(package, source, drawn), drawn


def _draw_mini_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    one, other = source.randint(5, 20), source.randint(5, 20)
    sign = source.choice("+-")
    drawn = f"{max(one, other)}{sign}{min(one, other)}=?" if sign == "-" else f"{one}{sign}{other}=?"
    package.__dict__["_generate_math_problem"] = lambda: (drawn, "")
    options: Options = (
        {} if is_default(source) else {"width": source.randint(110, 180), "height": source.randint(34, 60)}
    )
    _, saved = package.generate_captcha_image(**options)
    return Image.open(io.BytesIO(saved)), drawn


def _draw_multicolor_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    generator = package.CaptchaGenerator(source.randint(0, 1))
    made = generator.gen_math_captcha_image(
        source.choice((0, 0, 1)), source.random() < 0.3, source.random() < 0.5, margin=source.random() < 0.1
    )
    return made.image, made.equation_str.replace("x", "×")


ARITHMETIC_GENERATORS = {
    "easy-captcha-python-sum": Package("easy_captcha", _draw_easy_arithmetic, "easy_captcha.base.randoms"),
    "captchakit-sum": Package("captchakit.renderers.image", _draw_captchakit_arithmetic, "captchakit.renderers.image"),
    "CaptchaGenerator-sum": Package("CaptchaGenerator.core.renderer", _draw_captcha_generator_arithmetic),
    "mini-common-utils-sum": Package("mini_common_utils.captcha.captcha_util", _draw_mini_arithmetic),
    "multicolorcaptcha-sum": Package("multicolorcaptcha", _draw_multicolor_arithmetic),
}
"""How each draws, by the name of the family."""
