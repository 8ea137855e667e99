"""Pictures of known text for measuring engines: generators others published, plain drawings, and no captchas at all.

A family is a function of a random source; generators of optional packages are left out where they aren't installed.
"""

import importlib
import importlib.util
import io
import random
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import captcha
import numpy as np
from captcha.image import ImageCaptcha
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from wheezy.captcha import image as wheezy

from captchad.domain.recognition import CaptchaKind

FONT = str(Path(captcha.__file__).parent / "data" / "DroidSansMono.ttf")
UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
CLEAR_UPPER = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CHARSETS = (CLEAR_UPPER, UPPER + DIGITS, LOWER + DIGITS, DIGITS, UPPER, LOWER, UPPER + LOWER + DIGITS)


@dataclass(frozen=True)
class LabelledPicture:
    """A picture with its truth; no truth means that there is nothing to be read."""

    picture: bytes
    truth: str | None
    charset: str = ""
    kind: CaptchaKind = CaptchaKind.TEXT


Family = Callable[[random.Random], LabelledPicture]


@contextmanager
def seeded_globally(source: random.Random) -> Iterator[None]:
    """Seed the global generator, which the published packages draw from."""
    state = random.getstate()
    random.seed(source.getrandbits(64))
    try:
        yield
    finally:
        random.setstate(state)


def _encode(image: Image.Image, picture_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, picture_format)
    return buffer.getvalue()


def _draw_text(source: random.Random, shortest: int, longest: int) -> tuple[str, str]:
    charset = source.choice(CHARSETS)
    return "".join(source.choices(charset, k=source.randint(shortest, longest))), charset


def draw_wheezy(source: random.Random) -> LabelledPicture:
    """Draw with wheezy.captcha as its documentation shows, 4 to 5 characters."""
    text, charset = _draw_text(source, 4, 5)
    return LabelledPicture(draw_wheezy_text(source, text), text, charset)


def draw_wheezy_text(source: random.Random, text: str) -> bytes:
    """Draw a given text with wheezy.captcha."""
    with seeded_globally(source):
        render = wheezy.captcha(
            drawings=[
                wheezy.background(),
                wheezy.text(fonts=[FONT], drawings=[wheezy.warp(), wheezy.rotate(), wheezy.offset()]),
                wheezy.curve(),
                wheezy.noise(),
                wheezy.smooth(),
            ],
            width=200 if len(text) <= 4 else 240,
        )
        return _encode(render(list(text)), "JPEG")


def draw_captcha(source: random.Random) -> LabelledPicture:
    """Draw with the captcha package and its defaults."""
    text, charset = _draw_text(source, 4, 5)
    # The package draws from the system's randomness, so only the text is seeded.
    return LabelledPicture(ImageCaptcha().generate(text).getvalue(), text, charset)


def draw_gvcode(source: random.Random) -> LabelledPicture:
    """Draw with gvcode: single letters turned, lines across."""
    text, charset = _draw_text(source, 4, 5)
    with seeded_globally(source):
        maker = importlib.import_module("gvcode").VFCode(draw_dots=source.random() < 0.5)
        maker.generate(text)
        return LabelledPicture(maker.get_img_bytes(), text, charset)


def draw_multicolor(source: random.Random) -> LabelledPicture:
    """Draw with multicolorcaptcha: many fonts on coloured grounds."""
    generators = importlib.import_module("multicolorcaptcha")
    with seeded_globally(source):
        drawn = generators.CaptchaGenerator(1).gen_captcha_image(
            1, "ascii", multicolor=source.random() < 0.5, margin=False
        )
    return LabelledPicture(_encode(drawn.image), drawn.characters, UPPER + DIGITS)


def draw_flask_simple(source: random.Random) -> LabelledPicture:
    """Draw with flask-simple-captcha: white letters on black with lines."""
    drawing = importlib.import_module("flask_simple_captcha.img")
    folder = Path(drawing.__file__ or "").parent / "fonts"
    text = "".join(source.choices(UPPER + DIGITS, k=source.randint(4, 6)))
    with seeded_globally(source):
        font = source.choice(sorted(folder.glob("*.ttf")))
        return LabelledPicture(_encode(drawing.create_text_img(text, str(font))), text, UPPER + DIGITS)


def draw_plain(source: random.Random) -> LabelledPicture:
    """Draw letters side by side on a tinted ground, some lines and dots across."""
    text, charset = _draw_text(source, 3, 6)
    return LabelledPicture(_draw_line(source, list(text)), text, charset)


def draw_arithmetic(source: random.Random) -> LabelledPicture:
    """Draw an expression as the plain family is drawn; the truth is its result."""
    left, right, operator = source.randint(1, 30), source.randint(1, 20), source.choice("+-×")
    if operator == "-":
        left, right = max(left, right), min(left, right)
    result = {"+": left + right, "-": left - right, "×": left * right}[operator]
    ending = source.choice(["=", "=?"])
    picture = _draw_line(source, [*f"{left}{operator}{right}{ending}"])
    return LabelledPicture(picture, str(result), DIGITS, CaptchaKind.MATH)


def _draw_line(source: random.Random, characters: list[str]) -> bytes:
    size = source.randint(24, 40)
    font = ImageFont.truetype(FONT, size)
    pitch = int(size * source.uniform(0.6, 0.85))
    dark = source.random() < 0.15
    ground = tuple(source.randint(0, 60) if dark else source.randint(200, 255) for _ in range(3))
    image = Image.new("RGB", (pitch * len(characters) + size, int(size * 1.7)), ground)
    ink = tuple(source.randint(180, 255) if dark else source.randint(0, 120) for _ in range(3))
    for number, character in enumerate(characters):
        layer = Image.new("L", (size, int(size * 1.4)), 0)
        ImageDraw.Draw(layer).text((2, 0), character, font=font, fill=255)
        turned = layer.rotate(source.uniform(-12, 12), Image.Resampling.BICUBIC)
        image.paste(ink, (size // 3 + pitch * number, source.randint(0, size // 4)), turned)
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(0, 4)):
        draw.line([(source.randint(0, image.width), source.randint(0, image.height)) for _ in range(2)], fill=ink)
    for _ in range(source.randint(0, 60)):
        draw.point((source.randint(0, image.width), source.randint(0, image.height)), fill=ink)
    return _encode(image)


def _draw_size(source: random.Random) -> tuple[int, int]:
    return source.randint(60, 260), source.randint(24, 100)


def draw_blank(source: random.Random) -> LabelledPicture:
    """Draw one colour, a gradient, or a frame around nothing."""
    width, height = _draw_size(source)
    image = Image.new("RGB", (width, height), tuple(source.randint(0, 255) for _ in range(3)))
    shape = source.choice(["flat", "flat", "gradient", "frame"])
    if shape == "gradient":
        ramp = np.linspace(source.randint(0, 120), source.randint(121, 255), width).astype(np.uint8)
        image = Image.fromarray(np.tile(ramp, (height, 1)))
    elif shape == "frame":
        ImageDraw.Draw(image).rectangle((0, 0, width - 1, height - 1), outline=(90, 90, 90), width=source.randint(1, 3))
    return LabelledPicture(_encode(image, source.choice(["PNG", "JPEG"])), None)


def draw_noise(source: random.Random) -> LabelledPicture:
    """Draw pixels without meaning: even, normal, sparse, or soft clouds."""
    width, height = _draw_size(source)
    numbers = np.random.default_rng(source.getrandbits(32))
    kind = source.choice(["even", "normal", "sparse", "clouds"])
    if kind == "even":
        pixels = numbers.integers(0, 256, (height, width, 3))
    elif kind == "normal":
        pixels = numbers.normal(source.randint(90, 200), source.randint(5, 60), (height, width, 3)).clip(0, 255)
    elif kind == "sparse":
        pixels = np.where(numbers.random((height, width, 1)) < source.uniform(0.005, 0.2), 30, 235)
        pixels = np.repeat(pixels, 3, axis=2)
    else:
        small = numbers.integers(0, 256, (max(2, height // 12), max(2, width // 12), 3)).astype(np.uint8)
        pixels = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    return LabelledPicture(_encode(Image.fromarray(pixels.astype(np.uint8))), None)


def draw_other(source: random.Random) -> LabelledPicture:
    """Draw what pages show beside captchas: shapes, lines, bars and blurred blobs."""
    width, height = _draw_size(source)
    image = Image.new("RGB", (width, height), tuple(source.randint(150, 255) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(2, 9)):
        corners = (
            sorted(source.randint(0, width) for _ in range(2)),
            sorted(source.randint(0, height) for _ in range(2)),
        )
        box = (corners[0][0], corners[1][0], corners[0][1], corners[1][1])
        colour = tuple(source.randint(0, 255) for _ in range(3))
        shape = source.choice(["ellipse", "rectangle", "line", "curve"])
        if shape == "ellipse":
            draw.ellipse(box, fill=colour)
        elif shape == "rectangle":
            draw.rectangle(box, fill=colour)
        elif shape == "line":
            draw.line(box, fill=colour, width=source.randint(1, 4))
        else:
            draw.arc(box, source.randint(0, 180), source.randint(181, 360), fill=colour, width=source.randint(1, 4))
    if source.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(source.uniform(1, 4)))
    return LabelledPicture(_encode(image), None)


FITTED: dict[str, Family] = {
    "wheezy.captcha": draw_wheezy,
    "captcha": draw_captcha,
    "gvcode": draw_gvcode,
    "plain": draw_plain,
    "sum": draw_arithmetic,
    "blank": draw_blank,
    "noise": draw_noise,
    "other": draw_other,
}
UNSEEN: dict[str, Family] = {
    "multicolorcaptcha": draw_multicolor,
    "flask-simple-captcha": draw_flask_simple,
}
_PACKAGES = {
    "gvcode": "gvcode",
    "multicolorcaptcha": "multicolorcaptcha",
    "flask-simple-captcha": "flask_simple_captcha",
}


def find_available(families: dict[str, Family]) -> dict[str, Family]:
    """Leave out the families whose package isn't installed."""
    return {
        name: family
        for name, family in families.items()
        if name not in _PACKAGES or importlib.util.find_spec(_PACKAGES[name]) is not None
    }
