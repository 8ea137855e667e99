"""What designs draw beside their letters: lines, curves, dots and letters of noise, each as many as asked."""

import math
import random
from collections.abc import Sequence
from string import ascii_letters, digits

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.curves import Point, bend_between
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.fonts import load_font
from captchad.training.pictures.planes import Numbers


def frame(picture: Numbers, grey: float) -> Numbers:
    """Draw a frame as thin as can be."""
    picture[[0, -1]], picture[:, [0, -1]] = grey, grey
    return picture


def cross_curve(image: Image.Image, grey: float, width_pixels: int, source: random.Random) -> None:
    """Draw a Bézier curve from one side to the other."""
    width, height = image.size
    places = sorted(source.uniform(0.15, 0.85) for _ in range(2))
    corners: list[Point] = [(0, source.uniform(0.15, 0.85) * height)]
    corners += [(place * width, source.uniform(-0.1, 1.1) * height) for place in places]
    corners.append((width, source.uniform(0.15, 0.85) * height))
    ImageDraw.Draw(image).line(bend_between(corners), round(grey), width_pixels, "curve")


def cross_sine(image: Image.Image, grey: float, width_pixels: int, source: random.Random) -> None:
    """Draw a sine curve from one side to the other."""
    width, height = image.size
    across = np.arange(0, width + 2, 2)
    length, phase = width * source.uniform(0.4, 1.3), source.uniform(0, math.tau)
    middle, size = source.uniform(0.35, 0.65) * height, source.uniform(0.1, 0.32) * height
    down = middle + size * np.sin(across * (math.tau / length) + phase)
    points = list(zip(across.tolist(), down.tolist(), strict=True))
    ImageDraw.Draw(image).line(points, round(grey), width_pixels, "curve")


def strew_lines(image: Image.Image, greys: Sequence[float], count: int, source: random.Random, wide: int = 1) -> None:
    """Draw lines from anywhere to anywhere."""
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        ends = [(source.randint(0, image.width), source.randint(0, image.height)) for _ in range(2)]
        draw.line(ends, round(source.choice(greys)), wide)


def strew_short_lines(
    image: Image.Image, greys: Sequence[float], count: int, reach: int, source: random.Random
) -> None:
    """Draw lines a few pixels long."""
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        left, top = source.randint(0, image.width), source.randint(0, image.height)
        end = (left + source.randint(-reach, reach), top + source.randint(-reach, reach))
        draw.line([(left, top), end], round(source.choice(greys)))


def strew_dots(image: Image.Image, greys: Sequence[float], count: int, source: random.Random, reach: float = 0) -> None:
    """Draw points, or discs up to a radius."""
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        left, top = source.randrange(image.width), source.randrange(image.height)
        grey, radius = round(source.choice(greys)), source.uniform(0.3, 1) * reach
        if reach:
            draw.ellipse((left - radius, top - radius, left + radius, top + radius), grey)
        else:
            draw.point((left, top), grey)


def strew_rings(image: Image.Image, greys: Sequence[float], count: int, reach: float, source: random.Random) -> None:
    """Draw circles and ellipses up to a radius."""
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        left, top = source.randrange(image.width), source.randrange(image.height)
        east, south = (source.uniform(0.3, 1) * reach for _ in range(2))
        draw.ellipse((left - east, top - south, left + east, top + south), None, round(source.choice(greys)))


def strew_letters(image: Image.Image, greys: Sequence[float], count: int, pixels: int, source: random.Random) -> None:
    """Print letters that are not to be read, small or faint."""
    draw = ImageDraw.Draw(image)
    font = choose_kind(source, "ab", "sans")[0]
    for _ in range(count):
        place = (source.randint(-3, image.width), source.randint(-3, image.height))
        draw.text(place, source.choice(ascii_letters + digits), round(source.choice(greys)), load_font(font, pixels))
