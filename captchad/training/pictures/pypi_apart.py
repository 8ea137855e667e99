"""How packages of PyPI draw that are made for a chat or a web framework: here their drawing is taken alone.

`pip install --no-deps captchaSaz discord-py-captcha djangocaptcha guardpycaptcha innocaptcha pycturing ran six vfcode
botblock django-puzzlecaptcha importlib-resources` installs them without what they would bring along.
"""

import base64
import io
import random
import tempfile
from contextlib import nullcontext
from string import ascii_letters, ascii_lowercase, digits
from types import ModuleType, SimpleNamespace

from PIL import Image

from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.pypi_generators import Options
from captchad.training.pictures.pypi_package import Drawn, Package
from captchad.training.pictures.texts import CLEAR_UPPER, draw_text

_DJANGO = ("django", "django.forms", "django.core", "django.core.cache", "django.core.exceptions", "django.conf")
_CRYPTOGRAPHY = ("cryptography", "cryptography.fernet")


def _draw_saz(package: ModuleType, source: random.Random) -> Drawn:
    text = "".join(source.choices(ascii_lowercase + digits[:-1], k=6))
    options: Options = {}
    if not is_default(source):
        text = draw_text(source, shortest=4, longest=7).text
        options = {"width": source.randint(300, 500), "height": source.randint(100, 200)}
        options |= {name: source.random() < 0.7 for name in ("incld_circle", "incld_line")}
    made: Drawn = package.generate(text, **options)
    return made


def _draw_discord(package: ModuleType, source: random.Random) -> Drawn:
    made = package._create_captcha_sync(6 if is_default(source) else source.randint(4, 8), "")
    return Image.open(io.BytesIO(made.image)), made.text


def _draw_django(package: ModuleType, source: random.Random) -> Drawn:
    answers: dict[str, str] = {}
    maker = package.Captcha(SimpleNamespace(session=answers))
    package.__dict__["HttpResponse"] = lambda content, _kind: content
    if not is_default(source):
        maker.mode = source.choice(("number", "four_number"))
        maker.img_width, maker.img_height = source.randint(120, 180), source.randint(26, 40)
    drawn = Image.open(io.BytesIO(maker.display()))
    return drawn, maker.code


def _draw_guardpy(package: ModuleType, source: random.Random) -> Drawn:
    maker = package.GuardPyCaptcha.__new__(package.GuardPyCaptcha)
    maker.fernet = SimpleNamespace(encrypt=lambda text: text)
    count, is_only_digits = (4, False) if is_default(source) else (source.randint(4, 5), source.random() < 0.4)
    made = maker.Captcha_generation(count, is_only_digits)
    return Image.open(io.BytesIO(base64.b64decode(made["image"]))), made["encrypted_response"]


def _draw_inno_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    maker = package.MathCaptcha("image")
    one, other = sorted((source.randint(1, 10) for _ in range(2)), reverse=True)
    maker.question = f"{one}{source.choice('+-×')}{other}"
    maker._render_image()
    return maker.image, f"{maker.question}=?"


def _draw_inno(package: ModuleType, source: random.Random) -> Drawn:
    text = "".join(source.choices(CLEAR_UPPER, k=6))
    store = nullcontext(SimpleNamespace(execute=lambda *_: None, commit=lambda: None))
    package.__dict__.update(DB=lambda **_: store, log_event=lambda *_: None, get_encryption_key=lambda: b"")
    package.__dict__["Fernet"] = lambda _key: SimpleNamespace(encrypt=lambda letters: letters)
    options: Options = {}
    if not is_default(source):
        text = draw_text(source, shortest=4, longest=6).text
        options = {"width": source.randint(260, 320), "height": source.randint(60, 90)}
    maker = package.TextCaptcha(**options)
    maker.create(text)
    return maker.image, text


def _draw_puzzle_arithmetic(package: ModuleType, source: random.Random) -> Drawn:
    drawn = f"{source.randint(1, 9)} {source.choice('+*')} {source.randint(1, 9)}="
    settings = {"CAPTCHA_NOISE_LINES": 20, "CAPTCHA_NOISE_LINES_WIDTH": 2}
    if not is_default(source):
        settings = {"CAPTCHA_NOISE_LINES": source.randint(2, 20), "CAPTCHA_NOISE_LINES_WIDTH": source.randint(1, 2)}
    package.DEFAULT_PUZZLECAPTCHA.update(settings)
    _, saved = package.MathCaptchaWidget.__new__(package.MathCaptchaWidget).generate_captcha(drawn)
    return Image.open(io.BytesIO(base64.b64decode(saved))), drawn


def _draw_pycturing(package: ModuleType, source: random.Random) -> Drawn:
    options: Options = {}
    if not is_default(source):
        options = {"font_size": source.randint(22, 36)}
    maker = package.TextPycturing(**options)
    if options:
        maker.noise.count = source.randint(10, 100)
    made: Drawn = maker.draw()
    return made


def _draw_vfcode(package: ModuleType, source: random.Random) -> Drawn:
    config = package.Config()
    config.chinese_rate = config.calculation_rate = 0
    if not is_default(source):
        config.setWidth(min_width=110, max_width=180)
        config.setHeight(min_height=35, max_height=60)
        config.setGradientColors(min_gradient_colors=2, max_gradient_colors=source.randint(2, 6))
        config.setChar(source.choice((digits, ascii_letters, ascii_lowercase + digits)), 0)
        config.setRotateAngle(source.choice((0, 20, 40)))
        config.setNoises(source.sample(("point", "line", "circle"), source.randint(0, 3)))
    package.generator.__dict__["arrow"] = SimpleNamespace(now=lambda: SimpleNamespace(timestamp=0))
    with tempfile.TemporaryDirectory() as folder:
        drawn, letters, _ = package.Generator(config).generate(folder)
    return drawn, "".join(letters)


def _draw_botblock(package: ModuleType, source: random.Random) -> Drawn:
    package.__dict__.update(secure_choice=source.choice, secure_randbelow=source.randrange)
    # Its fonts draw small letters as low capitals, and it takes either for the other.
    options: Options = {"CHARACTER_SET": CLEAR_UPPER}
    if not is_default(source):
        options |= {"WIDTH": source.randint(300, 750), "HEIGHT": source.randint(120, 200)}
        options |= {"TEXT_LENGTH": source.randint(4, 7), "MAXIMUM_NOISE": source.randint(2, 25)}
    made = package.Captcha(package.Settings(**options))
    return Image.open(io.BytesIO(base64.b64decode(made.base64()))), made._text


APART_GENERATORS = {
    "captchaSaz": Package("captchaSaz", _draw_saz),
    "discord-py-captcha": Package(
        "discord_captcha.create_captcha",
        _draw_discord,
        "discord_captcha.create_captcha",
        is_first_module_passed_by=True,
    ),
    "djangocaptcha": Package("DjangoCaptcha", _draw_django, unneeded=("django", "django.http")),
    "guardpycaptcha": Package("GuardPyCaptcha.Captch", _draw_guardpy, unneeded=("keyring", *_CRYPTOGRAPHY)),
    "innocaptcha-sum": Package(
        "InnoCaptcha.math",
        _draw_inno_arithmetic,
        "InnoCaptcha.math",
        unneeded=_CRYPTOGRAPHY,
        is_first_module_passed_by=True,
    ),
    "innocaptcha": Package(
        "InnoCaptcha.text",
        _draw_inno,
        "InnoCaptcha.text",
        unneeded=("bidi", "bidi.algorithm", "arabic_reshaper", *_CRYPTOGRAPHY),
        is_first_module_passed_by=True,
    ),
    "django-puzzlecaptcha-sum": Package("puzzlecaptcha.field", _draw_puzzle_arithmetic, unneeded=_DJANGO),
    "pycturing": Package("pycturing.text", _draw_pycturing),
    "vfcode": Package("vfcode", _draw_vfcode, unneeded=("arrow", "better_exceptions")),
    "botblock": Package("botblock.captcha", _draw_botblock, unneeded=_CRYPTOGRAPHY),
}
"""How each draws, by the name of the family."""
