"""Designs after what libraries of Go, .NET and Python draw: curves of dots, hollow lines, slime, coarse noise."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_bends import bend_picture, bend_written, wave_across, wave_down
from captchad.training.pictures.design_covers import grow
from captchad.training.pictures.design_greys import mix_grey, mix_greys
from captchad.training.pictures.design_marks import cross_curve, cross_sine, strew_dots, strew_letters, strew_lines
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, lay_row, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.planes import Numbers, blank, to_image, to_numbers


def _draw_slime(image: Image.Image, greys: tuple[float, ...], source: random.Random) -> None:
    """Draw a curve that is thin at its ends and thick in between, of many short strokes."""
    draw, (width, height) = ImageDraw.Draw(image), image.size
    across = np.arange(0, width, 3)
    phase, length = source.uniform(0, math.tau), width * source.uniform(0.3, 0.8)
    down = height * source.uniform(0.3, 0.7) + height * 0.2 * np.sin(across * (math.tau / length) + phase)
    grey = round(source.choice(greys))
    for left, top in zip(across.tolist(), down.tolist(), strict=True):
        reach = 2.5 * math.sin(math.pi * left / width) * source.uniform(0.3, 1)
        draw.ellipse((left - 1, top - reach, left + 1, top + reach), grey)


def _draw_hollow_band(image: Image.Image, greys: tuple[float, ...], source: random.Random) -> None:
    """Draw two curves that keep a distance of a few pixels."""
    draw, (width, height) = ImageDraw.Draw(image), image.size
    across = np.arange(0, width + 3, 3)
    length, phase = width * source.uniform(0.5, 1.2), source.uniform(0, math.tau)
    down = height * source.uniform(0.35, 0.65) + height * 0.2 * np.sin(across * (math.tau / length) + phase)
    grey = round(source.choice(greys))
    for shift in (0, source.randint(3, 5)):
        draw.line(list(zip(across.tolist(), (down + shift).tolist(), strict=True)), grey)


def _draw_sine(image: Image.Image, greys: tuple[float, ...], source: random.Random) -> None:
    cross_sine(image, source.choice(greys), source.choice((1, 2)), source)


def draw_varied_lines(text: str, source: random.Random) -> Numbers:
    """Letters of several fonts and colours in slots, small ones behind, hollow bands, slime or sine curves before."""
    size = choose_size(text, source, (150, 250), (50, 80), 6)
    image = blank(size, mix_grey(source, 215, 255))
    if source.random() < 0.5:
        strew_letters(image, mix_greys(source, 150, 225, 6), source.randint(8, 30), max(8, size[1] // 4), source)
    row = Row(
        choose_kind(source, text, "funny", "bold", "serif", "mono", count=3),
        mix_greys(source, 0, 110, len(text)),
        size=source.uniform(0.65, 0.9),
        pose=Pose(turn_degrees=source.choice((0, 15, 25))),
        is_slotted=True,
        drift=0.06,
    )
    image = lay_row(text, row, image, source)
    for line in source.sample((_draw_slime, _draw_hollow_band, _draw_sine), source.randint(1, 3)):
        line(image, mix_greys(source, 30, 180, 3), source)
    return to_numbers(image)


def draw_coloured_curves(text: str, source: random.Random) -> Numbers:
    """Letters at heights of their own with one or two sine curves and large points, many colours or black alone."""
    size = choose_size(text, source, (130, 170), (45, 60), 4)
    is_black = source.random() < 0.35
    greys = (0.0,) if is_black else mix_greys(source, 0, 150, len(text))
    row = Row(choose_kind(source, text, "funny", "mono", "bold"), greys, size=0.75, is_slotted=True, drift=0.15)
    image = to_image(write_row(text, size, row, source).over(255.0))
    marks = (0.0,) if is_black else mix_greys(source, 0, 220, 6)
    for _ in range(source.randint(1, 3)):
        cross_sine(image, source.choice(marks), 1, source)
    strew_dots(image, marks, source.randint(0, 60), source, source.choice((0, 1.5)))
    return to_numbers(image)


def draw_square_points(text: str, source: random.Random) -> Numbers:
    """Turned letters in slots, heavy short lines and square points of many colours on a light colour."""
    size = choose_size(text, source, (110, 140), (50, 66), 4)
    image = blank(size, mix_grey(source, 200, 255))
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(10, 50)):
        left, top, reach = source.randrange(size[0]), source.randrange(size[1]), source.randint(1, 3)
        draw.rectangle((left, top, left + reach, top + reach), round(mix_grey(source, 120, 240)))
    strew_lines(image, mix_greys(source, 110, 230, 5), source.randint(2, 9), source, 2)
    row = Row(
        choose_kind(source, text, "bold", "funny"),
        mix_greys(source, 0, 100, len(text)),
        size=0.75,
        pose=Pose(turn_degrees=source.choice((10, 30))),
        is_slotted=True,
    )
    return write_row(text, size, row, source).over(to_numbers(image))


def draw_thick_colour_lines(text: str, source: random.Random) -> Numbers:
    """Letters of several fonts and colours, lines of several colours under and over them, coarse grain."""
    size = choose_size(text, source, (160, 220), (60, 80), 5)
    ground = np.asarray(draw_ground(GroundPlan(size[1], size[0], 235, source.uniform(0, 20)), source))
    row = Row(
        choose_kind(source, text, "sans", "bold", "serif", count=3),
        mix_greys(source, 0, 130, len(text)),
        size=0.6,
        pose=Pose(turn_degrees=source.choice((5, 20))),
        gap=0.15,
        drift=0.08,
        start=None,
    )
    image = to_image(write_row(text, size, row, source).over(ground))
    strew_lines(image, mix_greys(source, 0, 220, 5), source.randint(4, 11), source, source.choice((1, 2, 2)))
    strew_dots(image, mix_greys(source, 0, 220, 9), source.randint(50, 400), source, 0)
    return to_numbers(image)


def draw_black_and_white_waves(text: str, source: random.Random) -> Numbers:
    """Black letters and arcs, bent together in both ways, no greys at all."""
    size = choose_size(text, source, (130, 200), (50, 70), 5)
    row = Row(choose_kind(source, text, "serif", "bold"), (0.0,), size=0.75, pose=Pose(turn_degrees=10), gap=0.05)
    image = to_image(write_row(text, size, row, source).over(255.0))
    for _ in range(source.randint(0, 2)):
        cross_curve(image, 0, source.choice((1, 2)), source)
    bends = (wave_down(0.07, source.uniform(1, 2.5)), wave_across(0.05, source.uniform(0.8, 1.5)))
    bent = bend_picture(to_numbers(image), 255, source, *bends)
    picture = np.where(bent > 128, 255, 0).astype(np.float32)
    return 255 - picture if source.random() < 0.2 else picture


def draw_rimmed_on_tiles(text: str, source: random.Random) -> Numbers:
    """Light letters with a dark rim on tiles or a grid, waved."""
    size = choose_size(text, source, (160, 256), (60, 96), 5)
    down, across = np.indices(size[::-1])
    step = source.randint(8, 20)
    kind = source.choice(((down // step + across // step) % 2, (down % step < 1) | (across % step < 1)))
    ground = mix_grey(source, 120, 200) + np.asarray(kind, dtype=np.float32) * source.uniform(-50, 50)
    row = Row(choose_kind(source, text, "bold", "serif"), (250.0,), size=0.75, pose=Pose(turn_degrees=12), gap=0.12)
    bends = (wave_down(0.05, 1.5), wave_across(0.04, 1.2))
    written = bend_written(write_row(text, size, row, source), source, *bends)
    return written.over(ground * (1 - grow(written.cover, 5)))


def draw_dotted_digits(text: str, source: random.Random) -> Numbers:
    """Letters made of discs close to each other, a curve of discs through them, waved."""
    size, dark, light = choose_size(text, source, (150, 190), (50, 64), 5), mix_grey(source, 0, 110), 255.0
    row = Row(choose_kind(source, text, "bold"), size=1.05, gap=0.18)
    image = to_image(write_row(text, size, row, source).cover * 255)
    if source.random() < 0.6:
        cross_sine(image, 255, 2, source)
    cover = bend_picture(to_numbers(image) / 255, 0, source, wave_down(0.05, 3), wave_across(0.02, 1.5))
    small = to_image(cover * 255).resize((size[0] // 3, size[1] // 3), Image.Resampling.BOX)
    step = source.choice((3, 4, 5))
    blocks = np.repeat(np.repeat(to_numbers(small), step, 0), step, 1) / 255
    down, across = (np.arange(extent) % step - (step - 1) / 2 for extent in blocks.shape)
    discs = np.hypot(down[:, None], across[None, :]) < step * 0.52
    image = to_image(light + discs * (blocks > 0.42) * (dark - light))
    strew_dots(image, (dark,), source.choice((0, 10, 20)), source, 2.5)
    return to_numbers(image)


DESIGNS: dict[Design, int] = {
    draw_varied_lines: 3,
    draw_coloured_curves: 2,
    draw_square_points: 2,
    draw_thick_colour_lines: 2,
    draw_black_and_white_waves: 2,
    draw_rimmed_on_tiles: 1,
    draw_dotted_digits: 2,
}
"""The designs of this kind, each with its weight."""
