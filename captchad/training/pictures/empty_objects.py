"""Pictures of things that are no text: clutter, scribbles, frames, codes for machines, icons, charts.

Nothing here may pass for a letter, a digit or a sign: no lone ring, no short lone stroke, no cross.
"""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_greys import mix_greys
from captchad.training.pictures.design_marks import (
    cross_curve,
    cross_sine,
    strew_dots,
    strew_lines,
    strew_rings,
    strew_short_lines,
)
from captchad.training.pictures.empty_textures import Drawing, draw_clouds, draw_fade
from captchad.training.pictures.planes import Numbers, seed_numbers, to_image, to_numbers

_RING_FROM_PIXELS = 56


def _begin(shape: tuple[int, int], source: random.Random) -> Image.Image:
    if source.random() < 0.2:
        return to_image(draw_clouds(shape, source) * 0.4 + 140)
    return Image.new("L", shape[::-1], source.choice((255, 255, source.randint(170, 255))))


def _draw_line_clutter(shape: tuple[int, int], source: random.Random) -> Numbers:
    image, greys = _begin(shape, source), mix_greys(source, 0, 200, 4)
    strew_lines(image, greys, source.randint(10, 40), source, source.choice((1, 1, 2)))
    return to_numbers(image)


def _draw_curve_clutter(shape: tuple[int, int], source: random.Random) -> Numbers:
    image, greys = _begin(shape, source), mix_greys(source, 0, 200, 4)
    for _ in range(source.randint(1, 8)):
        kind = source.choice((cross_curve, cross_sine))
        kind(image, source.choice(greys), source.choice((1, 1, 2, 3)), source)
    return to_numbers(image)


def _draw_strewn(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Points, short lines, rings: the noise of captchas without their letters."""
    image, greys = _begin(shape, source), mix_greys(source, 0, 220, 5)
    area = shape[0] * shape[1]
    kinds = source.sample(range(4), source.randint(1, 3))
    if 0 in kinds:
        strew_dots(image, greys, round(area * source.uniform(0.005, 0.05)), source)
    if 1 in kinds:
        strew_short_lines(image, greys, source.randint(40, 120), 8, source)
    if 2 in kinds:
        strew_rings(image, greys, source.randint(15, 40), shape[0] * 0.3, source)
    if 3 in kinds:
        strew_dots(image, greys, source.randint(20, 80), source, source.uniform(1, 3))
    return to_numbers(image)


def _draw_long_lines(shape: tuple[int, int], source: random.Random) -> Numbers:
    """One to three lines from edge to edge, nothing else."""
    image = _begin(shape, source)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(source.randint(1, 3)):
        ends = [(-1, source.randrange(height)), (width, source.randrange(height))]
        draw.line(ends, source.randint(0, 140), source.choice((1, 2, 3)))
    return to_numbers(image)


def _draw_scribble(shape: tuple[int, int], source: random.Random) -> Numbers:
    """One long line back and forth, again and again over itself."""
    image = _begin(shape, source)
    numbers, count = seed_numbers(source), source.randint(60, 120)
    across = np.cumsum(numbers.normal(0, shape[1] * 0.2, count)) + shape[1] / 2
    down = np.cumsum(numbers.normal(0, shape[0] * 0.4, count)) + shape[0] / 2
    across, down = (
        np.abs((line + extent) % (2 * extent) - extent) for line, extent in ((across, shape[1]), (down, shape[0]))
    )
    points = list(zip(across.tolist(), down.tolist(), strict=True))
    ImageDraw.Draw(image).line(points, source.randint(0, 120), source.choice((1, 1, 2)), "curve")
    return to_numbers(image)


def _draw_frames(shape: tuple[int, int], source: random.Random) -> Numbers:
    """A frame or several in each other, perhaps a filled bar: an empty field, a button."""
    image = _begin(shape, source)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    inset, grey = source.choice((0, 0, height // 10)), source.randint(0, 180)
    for number in range(source.randint(1, 3)):
        edge = inset + number * source.randint(2, 5)
        radius = source.choice((0, height // 6))
        draw.rounded_rectangle((edge, edge, width - 1 - edge, height - 1 - edge), radius, None, grey, 1)
    if source.random() < 0.4:
        edge = inset + height // 4
        draw.rectangle((edge, edge, edge + (width - 2 * edge) * source.uniform(0.3, 1), height - edge), grey)
    return to_numbers(image)


def _draw_matrix_code(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Black and white cells, with the corner squares or the edges that tell machines where they are."""
    count = source.choice((14, 18, 21, 25, 29))
    cells = seed_numbers(source).integers(0, 2, (count, count)).astype(np.uint8)
    if count >= 21:
        finder = np.zeros((8, 8), dtype=np.uint8)
        finder[:7, :7] = 1
        finder[1:6, 1:6] = 0
        finder[2:5, 2:5] = 1
        cells[:8, :8], cells[:8, -8:], cells[-8:, :8] = finder, finder[:, ::-1], finder[::-1]
    else:
        cells[:, 0], cells[-1] = 1, 1
        cells[0], cells[:, -1] = np.arange(count) % 2 == 0, np.arange(count) % 2 == 1
    side = round(shape[0] * source.uniform(0.75, 1))
    code = Image.fromarray((1 - cells) * 255).resize((side, side), Image.Resampling.NEAREST)
    image = Image.new("L", shape[::-1], 255)
    image.paste(code, (source.randint(0, max(0, shape[1] - side)), (shape[0] - side) // 2))
    return to_numbers(image)


def _draw_bar_code(shape: tuple[int, int], source: random.Random) -> Numbers:
    widths = [source.choice((1, 1, 2, 3)) for _ in range(shape[1] + 1)]
    row = np.repeat(np.arange(len(widths)) % 2, widths)[: shape[1]] * 255
    picture = np.repeat(row[None, :].astype(np.float32), shape[0], 0)
    edge = source.choice((0, shape[0] // 8))
    picture[:edge], picture[shape[0] - edge :] = 255, 255
    picture[:, : edge * 2], picture[:, shape[1] - edge * 2 :] = 255, 255
    return picture


def _draw_avatar(shape: tuple[int, int], source: random.Random) -> Numbers:
    """A head and shoulders without a face."""
    image, grey = Image.new("L", shape[::-1], source.randint(190, 255)), source.randint(60, 160)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    middle, head = width * source.uniform(0.3, 0.7), height * source.uniform(0.18, 0.24)
    draw.ellipse((middle - head, height * 0.12, middle + head, height * 0.12 + 2 * head), grey)
    draw.ellipse((middle - 2 * head, height * 0.65, middle + 2 * head, height * 1.4), grey)
    return to_numbers(image)


def _draw_filled_shapes(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Filled discs, triangles, arrow heads, stars, blocks; large and over each other."""
    image = _begin(shape, source)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for _ in range(source.randint(1, 7)):
        grey, reach = source.randint(0, 220), height * source.uniform(0.15, 0.5)
        centre = (source.uniform(0, width), source.uniform(0.2, 0.8) * height)
        sides, turn = source.choice((3, 3, 4, 5, 6, 10, 40)), source.uniform(0, math.tau)
        corners = []
        for number in range(sides):
            near = reach * (0.45 if sides == 10 and number % 2 else 1)
            angle = turn + math.tau * number / sides
            corners.append((centre[0] + near * math.cos(angle), centre[1] + near * math.sin(angle)))
        draw.polygon(corners, grey)
    return to_numbers(image)


def _draw_spinner(shape: tuple[int, int], source: random.Random) -> Numbers:
    """A ring of discs that fade, as pages show while they wait."""
    if shape[0] < _RING_FROM_PIXELS:
        # The discs would run into a ring, which is a letter.
        return draw_clouds(shape, source)
    image = Image.new("L", shape[::-1], 255)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    count, reach = source.randint(8, 12), height * source.uniform(0.25, 0.4)
    for number in range(count):
        angle, size = math.tau * number / count, reach * 0.18
        across, down = width / 2 + reach * math.cos(angle), height / 2 + reach * math.sin(angle)
        draw.ellipse((across - size, down - size, across + size, down + size), 40 + 190 * number // count)
    return to_numbers(image)


def _draw_chart(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Filled columns or a jagged line with what is below filled."""
    image = to_image(draw_fade(shape, source) * 0.2 + 200)
    draw, (width, height) = ImageDraw.Draw(image), image.size
    grey, step = source.randint(0, 140), max(6, width // source.randint(8, 20))
    tops = [height * source.uniform(0.1, 0.9) for _ in range(0, width + step, step)]
    if source.random() < 0.5:
        points = [(number * step, top) for number, top in enumerate(tops)]
        draw.polygon([(0, height), *points, (width + step, height)], grey)
    else:
        for number, top in enumerate(tops):
            draw.rectangle((number * step, top, number * step + step * 0.8, height), grey)
    return to_numbers(image)


OBJECTS: dict[Drawing, int] = {
    _draw_line_clutter: 4,
    _draw_curve_clutter: 4,
    _draw_strewn: 5,
    _draw_long_lines: 2,
    _draw_scribble: 2,
    _draw_frames: 2,
    _draw_matrix_code: 2,
    _draw_bar_code: 2,
    _draw_avatar: 1,
    _draw_filled_shapes: 3,
    _draw_spinner: 1,
    _draw_chart: 2,
}
"""The objects, each with its weight."""
