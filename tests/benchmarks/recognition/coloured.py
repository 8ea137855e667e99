"""Pictures whose letters differ from their ground in hue far more than in brightness, and the same ones in dark ink.

Letters and lines are drawn once, as how much of each pixel is ink; then they are painted twice. So whatever an engine
reads less of the coloured ones is for their colours alone.
"""

import random
from collections.abc import Sequence
from string import ascii_uppercase, digits

import numpy as np
from PIL import Image

from captchad.domain.recognition import Hints
from captchad.recognition.flattening import Pixels
from captchad.training.pictures.clutter import draw_clutter
from captchad.training.pictures.colours import BLACK, WHITE, Colour, draw_any, grey_of, measure_distance
from captchad.training.pictures.lettering import Ink, draw_lettering, write_text
from captchad.training.pictures.planes import Numbers
from captchad.training.pictures.synthetic import frame_ink
from tests.benchmarks.recognition.labelled import LabelledPicture

PALE_ON_WHITE, AS_BRIGHT = "pale on white", "as bright as the ground"
_PALE_INKS: Sequence[Colour] = (
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (50, 205, 50),
    (255, 182, 193),
    (255, 105, 180),
)
"""Yellow, cyan, two limes and two pinks."""
_CHARACTERS = "".join(sorted(set(ascii_uppercase + digits) - set("0O1I")))
_LENGTHS = (4, 5, 5, 6)
_MOST_BRIGHTNESS_APART, _LEAST_DISTANCE = 8.0, 40.0
_HEIGHTS_PIXELS = (36, 50, 70)
_LINES_CHANCE = 0.5


def draw_coloured(count: int, seed: int) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Draw so many pictures in colours, half of each kind, and the same ones in black on white."""
    coloured, dark = [], []
    for number in range(count):
        source = random.Random(f"coloured:{seed}:{number}")
        kind = (PALE_ON_WHITE, AS_BRIGHT)[number % 2]
        text = "".join(source.choices(_CHARACTERS, k=source.choice(_LENGTHS)))
        letters, lines = _draw_covers(text, source)
        ground, inks = _draw_colours(kind, source)
        coloured.append(LabelledPicture(_paint(letters, lines, ground, inks), text, kind, Hints()))
        dark.append(LabelledPicture(_paint(letters, lines, WHITE, [BLACK]), text, kind, Hints()))
    return coloured, dark


def _draw_covers(text: str, source: random.Random) -> tuple[Ink, Numbers]:
    height = source.choice(_HEIGHTS_PIXELS)
    lettering = draw_lettering(source, text, round(height * source.uniform(0.55, 0.8)))
    # The planes of these inks say which letter a pixel belongs to.
    numbers = [(float(number),) for number in range(len(text))]
    letters = frame_ink(write_text(text, lettering, source, numbers), height, source)
    page = Image.new("L", letters.cover.shape[::-1], 0)
    if source.random() < _LINES_CHANCE:
        draw_clutter(page, (255,), 1, source)
    return letters, np.asarray(page, dtype=np.float32) / 255


def _draw_colours(kind: str, source: random.Random) -> tuple[Colour, list[Colour]]:
    count = source.choice((1, 1, 3))
    if kind == PALE_ON_WHITE:
        return WHITE, source.sample(_PALE_INKS, count)
    ground = draw_any(source, 60, 200)
    return ground, [_draw_as_bright(ground, source) for _ in range(count)]


def _draw_as_bright(ground: Colour, source: random.Random) -> Colour:
    while True:
        ink = draw_any(source)
        if (
            abs(grey_of(ink) - grey_of(ground)) < _MOST_BRIGHTNESS_APART
            and measure_distance(ink, ground) > _LEAST_DISTANCE
        ):
            return ink


def _paint(letters: Ink, lines: Numbers, ground: Colour, inks: Sequence[Colour]) -> Pixels:
    which = letters.colours[0].round().astype(int) % len(inks)
    colours = np.array(inks, dtype=np.float32)[which]
    page = np.array(ground, dtype=np.float32) + lines[:, :, None] * (np.array(inks[-1], dtype=np.float32) - ground)
    painted = page + letters.cover[:, :, None] * (colours - page)
    return np.asarray(painted.clip(0, 255), dtype=np.uint8)
