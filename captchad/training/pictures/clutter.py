"""What is drawn across the text: lines, arcs, curves, zigzags, grids, dots, strokes and confetti."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_letters, digits

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.curves import bend_between
from captchad.training.pictures.fonts import list_fonts, load_font


@dataclass(frozen=True, slots=True)
class Pen:
    """What clutter is drawn with: greys to choose from, and the most a line is wide."""

    draw: ImageDraw.ImageDraw
    greys: tuple[int, ...]
    width_pixels: int

    @property
    def size(self) -> tuple[int, int]:
        """The picture's width and height."""
        width, height = self.draw.im.size
        return width, height


_CURVE_POINTS = 24

Clutter = Callable[[Pen, random.Random], None]


def draw_clutter(image: Image.Image, greys: tuple[int, ...], width_pixels: int, source: random.Random) -> None:
    """Draw one or two kinds of clutter on a picture."""
    pen = Pen(ImageDraw.Draw(image), greys, width_pixels)
    chosen = source.choices(list(CLUTTERS), list(CLUTTERS.values()), k=source.choice((1, 1, 1, 2, 2)))
    for kind in dict.fromkeys(chosen):
        kind(pen, source)


def _choose_width(pen: Pen, source: random.Random) -> int:
    return source.randint(1, pen.width_pixels)


def _lines(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    thickness = _choose_width(pen, source)
    for _ in range(source.randint(1, 10 if thickness == 1 else 4)):
        ends = [(source.randint(0, width), source.randint(0, height)) for _ in range(2)]
        pen.draw.line(ends, source.choice(pen.greys), thickness)


def _crossings(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    for _ in range(source.randint(1, 4)):
        ends = [(0, source.randint(0, height)), (width, source.randint(0, height))]
        pen.draw.line(ends, source.choice(pen.greys), _choose_width(pen, source))


def _zigzag(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    places = sorted(source.uniform(0, width) for _ in range(source.randint(3, 9)))
    pen.draw.line(
        [(place, source.uniform(0.1, 0.9) * height) for place in places],
        source.choice(pen.greys),
        _choose_width(pen, source),
    )


def _arcs(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    for _ in range(source.randint(1, 5)):
        left, top = source.uniform(-0.3, 0.8) * width, source.uniform(-0.6, 0.7) * height
        box = (left, top, left + source.uniform(0.2, 1) * width, top + source.uniform(0.3, 1.3) * height)
        start = source.uniform(0, 360)
        end = start + source.choice((source.uniform(60, 220), 360))
        pen.draw.arc(box, start, end, source.choice(pen.greys), _choose_width(pen, source))


def _waves(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    across = np.arange(0, width + 3, 3)
    for _ in range(source.randint(1, 3)):
        middle, size = source.uniform(0.25, 0.75) * height, source.uniform(0.05, 0.35) * height
        length, phase = source.uniform(0.3, 2) * width, source.uniform(0, math.tau)
        down = middle + size * np.sin(across * (math.tau / length) + phase)
        points = list(zip(across.tolist(), down.tolist(), strict=True))
        pen.draw.line(points, source.choice(pen.greys), _choose_width(pen, source), "curve")


def _curves(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    for _ in range(source.randint(1, 5)):
        corners = [(source.uniform(0, width), source.uniform(-0.2, 1.2) * height) for _ in range(4)]
        if source.random() < 0.6:
            corners[0] = (source.uniform(0, 0.2) * width, corners[0][1])
            corners[3] = (source.uniform(0.8, 1) * width, corners[3][1])
        points = bend_between(corners, _CURVE_POINTS)
        pen.draw.line(points, source.choice(pen.greys), _choose_width(pen, source), "curve")


def _spiral(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    turns = np.linspace(0, math.tau * source.uniform(3, 12), 160)
    reach = turns / turns[-1] * max(width, height) * source.uniform(0.5, 1)
    across = source.uniform(0.2, 0.8) * width + reach * np.cos(turns)
    down = source.uniform(0.2, 0.8) * height + reach * np.sin(turns)
    pen.draw.line(list(zip(across.tolist(), down.tolist(), strict=True)), source.choice(pen.greys))


def _grid(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    step, grey = round(height * source.uniform(0.12, 0.4)) + 3, source.choice(pen.greys)
    slope = source.choice((0, 0, source.uniform(-0.4, 0.4))) * height
    start = source.randint(0, step)
    for left in range(start - height, width + height, step):
        pen.draw.line([(left, 0), (left + slope, height)], grey)
    for top in range(start, height, step):
        pen.draw.line([(0, top), (width, top + slope / 2)], grey)


def _dots(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    size, grey = source.choice((0, 0, 1, 1, 2)), source.choice((None, source.choice(pen.greys)))
    count = round(width * height * source.uniform(0.002, 0.035) * min(1.0, height / 60) / (size + 1) ** 2)
    for _ in range(count):
        left, top = source.randrange(width), source.randrange(height)
        pen.draw.rectangle((left, top, left + size, top + size), source.choice(pen.greys) if grey is None else grey)


def _rings(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    for _ in range(source.randint(3, 25)):
        left, top = source.uniform(0, width), source.uniform(0, height)
        size = height * source.uniform(0.03, 0.15)
        fill = source.choice((None, source.choice(pen.greys)))
        pen.draw.ellipse((left, top, left + size, top + size), fill, source.choice(pen.greys))


def _strokes(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    reach = height * source.uniform(0.05, 0.25)
    for _ in range(source.randint(8, 50)):
        left, top = source.uniform(0, width), source.uniform(0, height)
        end = (left + source.uniform(-reach, reach), top + source.uniform(-reach, reach))
        pen.draw.line([(left, top), end], source.choice(pen.greys))


def _confetti(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    for _ in range(source.randint(5, 40)):
        left, top = source.uniform(0, width), source.uniform(0, height)
        size = height * source.uniform(0.02, 0.08)
        corners = [(left + source.uniform(-size, size), top + source.uniform(-size, size)) for _ in range(3)]
        pen.draw.polygon(corners, source.choice(pen.greys))


def _small_letters(pen: Pen, source: random.Random) -> None:
    width, height = pen.size
    font = load_font(source.choice(list_fonts()), max(8, round(height * source.uniform(0.12, 0.2))))
    for _ in range(source.randint(4, 20)):
        place = (source.uniform(0, width), source.uniform(0, height))
        pen.draw.text(place, source.choice(ascii_letters + digits), source.choice(pen.greys), font)


CLUTTERS: dict[Clutter, int] = {
    _lines: 8,
    _crossings: 5,
    _zigzag: 2,
    _arcs: 4,
    _waves: 4,
    _curves: 6,
    _spiral: 1,
    _grid: 2,
    _dots: 8,
    _rings: 2,
    _strokes: 3,
    _confetti: 2,
    _small_letters: 1,
}
"""The kinds of clutter, each with its weight."""
