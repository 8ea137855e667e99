"""How packages of PyPI draw texts that are sheared, waved, or laid on textures."""

import base64
import importlib
import io
import random
from functools import cache
from pathlib import Path
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from types import ModuleType

from PIL import Image

from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.fonts import has_lower_case, load_font
from captchad.training.pictures.generators import seeded_globally
from captchad.training.pictures.lettering import choose_fonts
from captchad.training.pictures.pypi_generators import Options, choose_font
from captchad.training.pictures.pypi_package import Drawn, Package
from captchad.training.pictures.texts import CLEAR_UPPER, UPPER_CHARSETS, draw_text

_BACKGROUNDS = 12
_REDJ_TRIES = 9


def _draw_deep(package: ModuleType, source: random.Random) -> Drawn:
    options: Options = {}
    if not is_default(source):
        options = {"text_length": source.randint(4, 6), "num_lines": source.randint(0, 8)}
        options |= {"line_thickness": source.randint(1, 3), "noise_density": source.uniform(0, 0.8)}
        options |= {"blur_level": source.uniform(0, 0.8), "shear_text": source.random() < 0.7}
        options |= {"color_mode": source.random() < 0.6, "ai_resistance_level": source.randint(0, 1)}
    made: Drawn = package.DeepCaptcha(**options).generate()
    return made


def _draw_easy(package: ModuleType, source: random.Random) -> Drawn:
    if is_default(source):
        maker, font = package.SpecCaptcha(), 0
    else:
        length, height = source.randint(4, 6), source.randint(36, 60)
        maker = package.SpecCaptcha(length * source.randint(23, 32), height, length)
        maker.char_type = source.randint(package.TYPE_DEFAULT, package.TYPE_NUM_AND_UPPER)
        font = source.randrange(len(package.constants.FONT_NAMES))
        maker.set_font(font, round(height * source.uniform(0.55, 0.75)))
    buffer = io.BytesIO()
    maker.out(buffer)
    file = Path(package.__path__[0]) / "fonts" / package.constants.FONT_NAMES[font]
    text = maker.text() if has_lower_case(file) else maker.text().upper()
    return Image.open(buffer), text


def _draw_light(package: ModuleType, source: random.Random) -> Drawn:
    text = "".join(source.choices(digits, k=6))
    options: Options = {}
    if not is_default(source):
        options = {"width": source.randint(160, 260), "height": source.randint(50, 80)}
    maker = package.CaptchaGenerator()
    # Its own seeds the random numbers by the clock.
    maker._generate_number = lambda: text
    return maker.generate(**options).data, text


def _draw_xcaptcha(package: ModuleType, source: random.Random) -> Drawn:
    charset = source.choice((ascii_lowercase, ascii_uppercase, digits, ascii_letters + digits))
    least, most = ((100, 300), (150, 400)) if is_default(source) else ((80, 240), (120, 320))
    fonts = importlib.import_module("xcaptcha.defaults").FONTS
    maker = package.CAPTCHAGenerator(charset, least, most, 4, 6, fonts)
    # Nobody looks at the masks, and they take long.
    maker._mask_from_layer = lambda *_: None
    made = maker.generate()
    return Image.fromarray(made.image[:, :, ::-1]), "".join(made.solution)


def _draw_gbkomi(package: ModuleType, source: random.Random) -> Drawn:
    text = "".join(source.choices(digits, k=4))
    options: Options = {}
    if not is_default(source):
        # It cuts off what is below the line, and much of what is low.
        text = draw_text(source, UPPER_CHARSETS, shortest=4, longest=6).text
        options = {"width": len(text) * source.randint(36, 48), "height": source.randint(50, 80)}
        options["text_color"] = tuple(source.randrange(130) for _ in range(3))
        options["background_color"] = tuple(source.randint(200, 245) for _ in range(3))
    fonts = choose_fonts(source, text)
    package.__dict__["get_random_font"] = lambda size: load_font(source.choice(fonts), size)
    made: Drawn = package.CaptchaGenerator(options).generate(text)
    return made


def _draw_captchakit(package: ModuleType, source: random.Random) -> Drawn:
    theme = package.Theme
    options: Options = {}
    if is_default(source):
        text = draw_text(source, {CLEAR_UPPER: 1}, shortest=5, longest=5).text
    else:
        text = draw_text(source, shortest=4, longest=8).text
        options = {"theme": source.choice((theme.CLASSIC, theme.DARK, theme.PASTEL, theme.HIGH_CONTRAST))}
        options |= {"width": max(120, len(text) * source.randint(28, 44)), "height": source.randint(60, 90)}
        options |= {"font_size": source.randint(30, 44), "font_path": choose_font(source, text)}
    return Image.open(io.BytesIO(package.ImageRenderer(**options)._render_sync(text))), text


def _draw_captchams(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, {ascii_letters + digits: 1}, shortest=8, longest=8).text
    options: Options = {}
    if not is_default(source):
        text = draw_text(source, shortest=4, longest=8).text
        options = {"count_ellipses": source.randint(0, 90), "count_lines": source.randint(0, 7)}
    maker = package.Captcha(font_path=choose_font(source, text), **options)
    maker.text = text
    maker.generate()
    return maker.image, text


def draw_rendered(package: ModuleType, source: random.Random, text: str) -> Image.Image:
    """Let CaptchaGenerator draw any text in one of its styles."""
    fonts = choose_fonts(source, text)
    options: Options = {}
    if not is_default(source):
        options["difficulty"] = source.choice(("easy", "medium", "hard", "extreme"))
        options["style"] = source.choice(("modern", "minimal", "wave", "arc", "mesh"))
    ground = _make_background(package, source.randrange(_BACKGROUNDS))
    made: Image.Image = package.render_captcha(
        text, font_loader=lambda _, size: load_font(source.choice(fonts), size), fonts=[], background=ground, **options
    )
    return made.resize((360, 120), Image.Resampling.BILINEAR) if source.random() < 0.7 else made


@cache
def _make_background(package: ModuleType, number: int) -> Image.Image:
    # It takes longer than all the rest, and its pictures are much alike.
    with seeded_globally(random.Random(number)):
        made: Image.Image = package.create_background()
    return made


def _draw_captcha_generator(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, {CLEAR_UPPER: 3, **UPPER_CHARSETS}, shortest=4, longest=7).text
    return draw_rendered(package, source, text), text


def _draw_sicaptcha(package: ModuleType, source: random.Random) -> Drawn:
    text = draw_text(source, {"0123456789abcdef": 1}, shortest=4, longest=4).text
    maker = package.Sicaptcha()
    if not is_default(source):
        text = draw_text(source, shortest=4, longest=5).text
        maker.textcolor = (*(source.randrange(120) for _ in range(3)), 250)
        maker.linecolor = (*(source.randrange(120) for _ in range(3)), source.randint(60, 200))
        maker.fontSize = source.randint(34, 50)
    maker.font, maker.text, maker.format = choose_font(source, text), text, "buffer"
    return Image.open(io.BytesIO(maker.get_captcha())), text


def _draw_x(package: ModuleType, source: random.Random) -> Drawn:
    text_options: Options = {"characters": source.choice((ascii_letters + digits, ascii_lowercase + digits, digits))}
    if not is_default(source):
        count = source.randint(4, 6)
        text_options |= {"number": count, "size": (count * source.randint(24, 36), source.randint(40, 64))}
    font = choose_font(source, text_options["characters"])
    text, drawn = package.Captcha(font=font, **text_options).generate()
    return drawn, text


def _draw_silver(package: ModuleType, source: random.Random) -> Drawn:
    maker = package.SilverCaptcha()
    if not is_default(source):
        maker.text = draw_text(source, shortest=4, longest=8).text
    return Image.fromarray(maker.generate_captcha()[:, :, ::-1]), maker.text


def _draw_redj(package: ModuleType, source: random.Random) -> Drawn:
    text = package.randomString()
    settings = {"image_weight": 180, "image_height": 70, "font_size": 50}
    if not is_default(source):
        settings = {"image_weight": source.randint(170, 240), "image_height": source.randint(50, 90)}
        settings["font_size"] = source.randint(28, 40)
    for name, value in settings.items():
        setattr(package.Base, name, value)
    # Where one of its lines comes out without any length, it writes that to the terminal, and draws nothing.
    package.__dict__["print"] = lambda *_: None
    saved = next(filter(None, (package.generateImage(text) for _ in range(_REDJ_TRIES))))
    return Image.open(io.BytesIO(base64.b64decode(saved.partition(",")[2]))), text


WARPED_GENERATORS = {
    "deepcaptcha": Package("deepcaptcha", _draw_deep),
    "easy-captcha-python": Package("easy_captcha", _draw_easy, "easy_captcha.base.randoms"),
    "light-captcha": Package("light_captcha", _draw_light),
    "xcaptcha": Package("xcaptcha.generator", _draw_xcaptcha),
    "gbkomi-captcha": Package("gbkomi_captcha.core.generator", _draw_gbkomi),
    "captchakit": Package("captchakit.renderers.image", _draw_captchakit, "captchakit.renderers.image"),
    "CaptchaMS": Package("CaptchaMS.CaptchaMS", _draw_captchams),
    "CaptchaGenerator": Package("CaptchaGenerator.core.renderer", _draw_captcha_generator),
    "x-captcha": Package("xcaptcha.image", _draw_x, is_for_old_pillow=True, is_first_module_passed_by=True),
    "silver-captcha": Package("silver_captcha.captcha", _draw_silver),
    "redj-captcha": Package("redjcaptcha.management.helper", _draw_redj),
    "sicaptcha": Package("sicaptcha.sicaptcha", _draw_sicaptcha, is_for_old_pillow=True),
}
"""How each draws, by the name of the family."""
