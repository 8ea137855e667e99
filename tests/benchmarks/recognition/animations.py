"""Animations whose frames disagree: letters that blink, fade, come one by one or move, while noise is drawn anew."""

import io
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
FORMATS = ("GIF", "PNG", "WEBP")
NOISES = ("none", "lines", "dots", "both", "still")

_LENGTHS = (4, 6)
_HEIGHTS_PIXELS = (40, 80)
_TURN_DEGREES = 15
_OPAQUE = 255
_FRAME_MS = 200
_SHOWN_CHANCE = 0.6
_WHITE = (255, 255, 255)
_GROUND_FROM, _INK_UP_TO = 215, 110


@dataclass(frozen=True, slots=True)
class Animation:
    """An encoded animation with the text that it shows."""

    data: bytes
    text: str
    style: str
    noise: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A letter's cover on the whole canvas, and its ink."""

    cover: Image.Image
    ink: tuple[int, int, int]


Plan = Callable[[random.Random, int, int], list[list[float]]]
"""From a count of letters and of frames, how opaque (0..1) each letter is in each frame."""


def _blink(source: random.Random, letters: int, frames: int) -> list[list[float]]:
    order = source.sample(range(letters), letters)
    return [[float(order[frame % letters] != letter) for letter in range(letters)] for frame in range(frames)]


def _blink_at_random(source: random.Random, letters: int, frames: int) -> list[list[float]]:
    shown = [[float(source.random() < _SHOWN_CHANCE) for _ in range(letters)] for _ in range(frames)]
    for letter in range(letters):
        # Each letter is seen twice, or it could not be told from noise.
        for frame in source.sample(range(frames), 2):
            shown[frame][letter] = 1.0
    return shown


def _fade(source: random.Random, letters: int, frames: int) -> list[list[float]]:
    phases = [source.random() for _ in range(letters)]
    return [
        [0.5 + 0.5 * math.cos(2 * math.pi * (frame / frames + phase)) for phase in phases] for frame in range(frames)
    ]


def _come_one_by_one(source: random.Random, letters: int, frames: int) -> list[list[float]]:
    return [[float(frame % letters == letter) for letter in range(letters)] for frame in range(max(frames, letters))]


def _gather(source: random.Random, letters: int, frames: int) -> list[list[float]]:
    return [[float(letter <= frame) for letter in range(letters)] for frame in range(letters + 1)]


def _stay(source: random.Random, letters: int, frames: int) -> list[list[float]]:
    return [[1.0] * letters for _ in range(frames)]


PLANS: dict[str, Plan] = {
    "blink": _blink,
    "blink at random": _blink_at_random,
    "fade": _fade,
    "one by one": _come_one_by_one,
    "gather": _gather,
    "slide": _stay,
    "jitter": _stay,
    "stay": _stay,
}
_SLIDE_PIXELS = {"slide": 14, "jitter": 0}
_JITTER_PIXELS = {"jitter": 4}


def draw_animation(
    source: random.Random,
    fonts: Sequence[Path],
    style: str,
    noise: str | None = None,
    picture_format: str | None = None,
    frames: int | None = None,
) -> Animation:
    """Draw one animation of a style with letters of one font, in a format of Pillow's."""
    text = "".join(source.choices(SYMBOLS, k=source.randint(*_LENGTHS)))
    noise = noise or source.choice(NOISES)
    height = source.randint(*_HEIGHTS_PIXELS)
    font = ImageFont.truetype(str(source.choice(fonts)), round(height * source.uniform(0.5, 0.65)))
    ground = tuple(source.randint(_GROUND_FROM, _OPAQUE) for _ in range(3)) if source.random() < 0.5 else _WHITE
    slide, jitter = _SLIDE_PIXELS.get(style, 0), _JITTER_PIXELS.get(style, 0)
    placed, width = _place(source, text, font, height, slide)
    opacities = PLANS[style](source, len(text), frames or source.randint(4, 8))
    still = _draw_noise(source, (width, height), "both")
    drawn = []
    for number, opacity in enumerate(opacities):
        picture = Image.new("RGB", (width, height), ground)
        for letter, share in zip(placed, opacity, strict=True):
            right = round(slide * number / max(1, len(opacities) - 1)) + source.randint(-jitter, jitter)
            cover = ImageChops.offset(letter.cover, right, source.randint(-jitter, jitter))
            picture.paste(letter.ink, mask=cover.point(lambda value, share=share: round(value * share)))
        over = still if noise == "still" else _draw_noise(source, (width, height), noise)
        picture.paste(over, mask=over.getchannel("A"))
        drawn.append(picture)
    return Animation(encode(drawn, picture_format or source.choice(FORMATS), source), text, style, noise)


def encode(frames: Sequence[Image.Image], picture_format: str, source: random.Random) -> bytes:
    """Write frames in a format of Pillow's, each way of disposal in turn where there are several."""
    stream = io.BytesIO()
    options = {"save_all": True, "append_images": frames[1:], "duration": _FRAME_MS, "loop": 0}
    if picture_format == "GIF":
        options["disposal"] = source.choice((0, 1, 2))
    if picture_format == "WEBP":
        options["quality"] = 90
    frames[0].save(stream, picture_format, **options)
    return stream.getvalue()


def _place(
    source: random.Random, text: str, font: ImageFont.FreeTypeFont, height: int, slide: int
) -> tuple[list[Placed], int]:
    left, boxes = float(height) * 0.25, []
    shared = _draw_letter_ink(source) if source.random() < 0.5 else None
    for symbol in text:
        letter = Image.new("L", (height, height), 0)
        ImageDraw.Draw(letter).text((height / 2, height / 2), symbol, _OPAQUE, font, anchor="mm")
        turned = letter.rotate(source.uniform(-_TURN_DEGREES, _TURN_DEGREES), Image.Resampling.BICUBIC)
        box = turned.getbbox() or (0, 0, 1, 1)
        boxes.append((turned.crop(box), left, box[1] + source.uniform(-0.06, 0.06) * height))
        left += box[2] - box[0] + source.uniform(0.05, 0.2) * height
    width = round(left + height * 0.2) + slide
    placed = []
    for letter, x, y in boxes:
        cover = Image.new("L", (width, height), 0)
        cover.paste(letter, (round(x), round(y)))
        placed.append(Placed(cover, shared or _draw_letter_ink(source)))
    return placed, width


def _draw_noise(source: random.Random, size: tuple[int, int], noise: str) -> Image.Image:
    over = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(over)
    width, height = size
    if noise in {"lines", "both"}:
        for _ in range(source.randint(2, 5)):
            ends = [(source.randint(0, width), source.randint(0, height)) for _ in range(2)]
            pen.line(ends, _draw_ink(source), source.randint(1, 2))
    if noise in {"dots", "both"}:
        for _ in range(width * height // 90):
            x, y = source.randint(0, width), source.randint(0, height)
            pen.ellipse((x, y, x + 1, y + 1), _draw_ink(source))
    return over


def _draw_letter_ink(source: random.Random) -> tuple[int, int, int]:
    red, green, blue = (source.randint(0, _INK_UP_TO) for _ in range(3))
    return red, green, blue


def _draw_ink(source: random.Random) -> tuple[int, int, int, int]:
    red, green, blue = (source.randint(40, 190) for _ in range(3))
    return red, green, blue, _OPAQUE
