"""Designs after what Java servers show: gradients and ripples, sheared letters, interfering curves and circles."""

import random

import numpy as np
from PIL import ImageDraw

from captchad.training.pictures.design_bends import (
    bend_picture,
    bend_written,
    fish_eye,
    pull,
    ring,
    wave_across,
    wave_down,
)
from captchad.training.pictures.design_covers import soften
from captchad.training.pictures.design_greys import mix_grey, mix_greys
from captchad.training.pictures.design_marks import cross_curve, frame, strew_dots, strew_lines, strew_rings
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.planes import Numbers, blank, to_image, to_numbers


def _fade_across(size: tuple[int, int], source: random.Random, least: float = 150) -> Numbers:
    left, right = source.choice(((source.uniform(least, 215), 255.0), (255.0, source.uniform(least, 215))))
    return np.repeat(np.linspace(left, right, size[0], dtype=np.float32)[None, :], size[1], 0)


def draw_rippled_gradient(text: str, source: random.Random) -> Numbers:
    """Bold letters on a gradient, one or two curves that swell, all on rippled water; a frame."""
    size = choose_size(text, source, (120, 200), (40, 60))
    grey = source.choice((0.0, mix_grey(source, 0, 120)))
    row = Row(choose_kind(source, text, "bold", "mono"), (grey,), size=source.uniform(0.65, 0.85), gap=0.08)
    image = to_image(write_row(text, size, row, source).over(_fade_across(size, source)))
    for _ in range(source.choice((0, 1, 1, 2))):
        cross_curve(image, grey, source.choice((1, 2, 3)), source)
    bends = (wave_down(0.03, source.uniform(0.5, 1.2)), wave_across(0.035, source.uniform(0.5, 1.2)))
    picture = bend_picture(to_numbers(image), 235, source, *bends)
    return frame(picture, 0) if source.random() < 0.7 else picture


def draw_ring_ripple(text: str, source: random.Random) -> Numbers:
    """Letters and a curve through rings of water."""
    size = choose_size(text, source, (150, 200), (45, 60))
    grey = mix_grey(source, 0, 90)
    row = Row(choose_kind(source, text, "bold", "serif"), (grey,), size=0.8, gap=0.1)
    image = to_image(write_row(text, size, row, source).over(_fade_across(size, source)))
    cross_curve(image, grey, 2, source)
    return bend_picture(to_numbers(image), 235, source, ring(0.05, source.uniform(0.35, 0.7)), wave_down(0.03, 2))


def draw_drop_shadow(text: str, source: random.Random) -> Numbers:
    """Letters with a soft shadow to one side, lightly rippled."""
    size = choose_size(text, source, (150, 200), (45, 65))
    ground = _fade_across(size, source, 190)
    row = Row(choose_kind(source, text, "bold", "serif", "mono"), (mix_grey(source, 0, 110),), size=0.75, gap=0.1)
    written = bend_written(write_row(text, size, row, source), source, wave_down(0.03, 1.5), wave_across(0.03, 1.0))
    blurred = soften(written.cover, source.uniform(0.6, 1.8))
    shift = source.randint(2, 4)
    shadow = np.roll(blurred, (shift, shift), (0, 1))
    image = to_image(written.over(ground * (1 - shadow * source.uniform(0.3, 0.5))))
    for _ in range(source.choice((0, 1))):
        cross_curve(image, 60, 1, source)
    return to_numbers(image)


def draw_fish_eye_grid(text: str, source: random.Random) -> Numbers:
    """Letters behind lines up and along, as a fish's eye sees them."""
    size = choose_size(text, source, (150, 210), (45, 65))
    grey = mix_grey(source, 0, 80)
    row = Row(choose_kind(source, text, "bold", "mono"), (grey,), size=0.75, gap=0.12)
    image = to_image(write_row(text, size, row, source).over(source.choice((255.0, _fade_across(size, source)))))
    draw, lines = ImageDraw.Draw(image), mix_grey(source, 60, 220)
    for _ in range(source.randint(3, 7)):
        place = source.randrange(size[1])
        draw.line([(0, place), (size[0], place)], round(lines))
    for _ in range(source.randint(6, 14)):
        place = source.randrange(size[0])
        draw.line([(place, 0), (place, size[1])], round(lines))
    return bend_picture(to_numbers(image), 255, source, fish_eye(source.uniform(0.25, 0.45)))


def draw_curves_and_ovals(text: str, source: random.Random) -> Numbers:
    """Playful letters of one colour in slots, two ovals and a curve of light colours, on white."""
    size = choose_size(text, source, (110, 150), (40, 50))
    fonts = choose_kind(source, text, source.choice(("funny", "bold", "serif")))
    letters = mix_greys(source, 10, 150, source.choice((1, len(text))))
    row = Row(fonts, letters, size=source.uniform(0.65, 0.85), is_slotted=True, drift=0.08)
    image = blank(size, 255.0)
    marks = mix_greys(source, 60, 220, 4)
    strew_rings(image, marks, source.randint(1, 4), size[1] * 0.25, source)
    for _ in range(source.randint(1, 2)):
        cross_curve(image, source.choice(marks), source.choice((1, 2)), source)
    return write_row(text, size, row, source).over(to_numbers(image))


def draw_fading_letters(text: str, source: random.Random) -> Numbers:
    """A still of letters that fade in and out one after the other."""
    size = choose_size(text, source, (110, 200), (40, 70))
    lightest = source.uniform(120, 175)
    first = source.randrange(len(text))
    fading = [abs((number - first) % len(text) - len(text) / 2) / (len(text) / 2) for number in range(len(text))]
    greys = tuple(20 + share * (lightest - 20) for share in fading)
    row = Row(choose_kind(source, text, "funny", "bold"), greys, size=0.75, is_slotted=True)
    image = to_image(write_row(text, size, row, source).over(255.0))
    strew_rings(image, mix_greys(source, 100, 230, 3), source.randint(0, 3), size[1] * 0.3, source)
    return to_numbers(image)


def draw_hundred_lines(text: str, source: random.Random) -> Numbers:
    """Letters of several colours under very many short thin lines."""
    size = choose_size(text, source, (130, 200), (48, 100))
    row = Row(choose_kind(source, text, "bold", "sans"), mix_greys(source, 0, 110, len(text)), size=0.8)
    image = blank(size, 255.0)
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(60, 180)):
        left, top = source.randrange(size[0]), source.randrange(size[1])
        end = (left + source.randint(0, size[0] // 8), top + source.randint(0, size[1] // 8))
        draw.line([(left, top), end], round(mix_grey(source, 40, 255)))
    written = write_row(text, size, row, source)
    picture = written.over(to_numbers(image))
    return np.asarray(np.minimum(picture, to_numbers(image)), dtype=np.float32)


def draw_many_circles(text: str, source: random.Random) -> Numbers:
    """Letters of several colours among outlined circles."""
    size = choose_size(text, source, (130, 200), (45, 100))
    row = Row(choose_kind(source, text, "bold", "sans"), mix_greys(source, 0, 130, len(text)), size=0.8)
    image = to_image(write_row(text, size, row, source).over(255.0))
    strew_rings(image, mix_greys(source, 30, 230, 6), source.randint(12, 36), size[1] * 0.25, source)
    return to_numbers(image)


def draw_sheared(text: str, source: random.Random) -> Numbers:
    """Letters sheared in both ways by short waves, one heavy straight line across."""
    size = choose_size(text, source, (130, 200), (45, 90))
    row = Row(choose_kind(source, text, "bold", "sans"), mix_greys(source, 0, 120, len(text)), size=0.75)
    written = write_row(text, size, row, source)
    bends = (wave_across(source.uniform(0.03, 0.08), source.uniform(0.4, 0.9)), wave_down(0.06, source.uniform(0.8, 2)))
    image = to_image(bend_written(written, source, *bends).over(255.0))
    ends = [(0, source.randrange(size[1])), (size[0], source.randrange(size[1]))]
    ImageDraw.Draw(image).line(ends, round(mix_grey(source, 0, 200)), max(1, size[1] // source.randint(18, 30)))
    return to_numbers(image)


def draw_four_corners(text: str, source: random.Random) -> Numbers:
    """A word on a ground that fades between four corners' colours, the letters turned a little."""
    size = choose_size(text, source, (160, 220), (60, 100), 6)
    greys = np.array(mix_greys(source, 130, 255, 4), dtype=np.float32).reshape(2, 2)
    down, across = (np.linspace(0, 1, extent, dtype=np.float32) for extent in reversed(size))
    upper = greys[0, 0] * (1 - across) + greys[0, 1] * across
    lower = greys[1, 0] * (1 - across) + greys[1, 1] * across
    ground = upper[None, :] * (1 - down)[:, None] + lower[None, :] * down[:, None]
    pose = Pose(turn_degrees=source.choice((0, 15)))
    row = Row(choose_kind(source, text, "serif", "sans"), mix_greys(source, 0, 80, 3), size=0.5, pose=pose, drift=0.15)
    written = bend_written(write_row(text, size, row, source), source, wave_down(0.05, source.uniform(1, 2)))
    return written.over(ground)


def draw_holes(text: str, source: random.Random) -> Numbers:
    """Letters on a plain or striped ground, with small discs and bars of the ground's grey before them."""
    size = choose_size(text, source, (160, 220), (60, 100), 6)
    ground = source.uniform(190, 255)
    row = Row(choose_kind(source, text, "bold", "serif"), (mix_grey(source, 0, 80),), size=0.6, is_heavy=True)
    image = to_image(write_row(text, size, row, source).over(ground))
    if source.random() < 0.5:
        strew_dots(image, (ground,), source.randint(30, 80), source, size[1] * 0.04)
    else:
        strew_lines(image, (ground,), source.randint(6, 16), source, 2)
    return to_numbers(image)


def draw_squiggles(text: str, source: random.Random) -> Numbers:
    """Letters on a ground of wide faint curves."""
    size = choose_size(text, source, (150, 200), (45, 60))
    image = blank(size, source.uniform(215, 255))
    for _ in range(source.randint(6, 14)):
        cross_curve(image, mix_grey(source, 120, 240), source.randint(1, 5), source)
    row = Row(choose_kind(source, text, "bold", "mono", "serif"), mix_greys(source, 0, 80, 2), size=0.8, gap=0.1)
    return write_row(text, size, row, source).over(to_numbers(image))


def draw_wobbled_curves(text: str, source: random.Random) -> Numbers:
    """Letters and two curves of one middling colour, wobbled, diffused at their edges."""
    size = choose_size(text, source, (140, 200), (50, 75))
    grey = mix_grey(source, 20, 130)
    row = Row(choose_kind(source, text, "bold", "serif"), (grey,), size=source.uniform(0.55, 0.8), drift=0.08)
    image = to_image(write_row(text, size, row, source).over(255.0))
    for _ in range(source.randint(1, 2)):
        cross_curve(image, grey, source.randint(1, 3), source)
    kinds = ((wave_down(0.05, 0.9), wave_across(0.05, 0.8)), (pull(0.02, 0.06),), (pull(0.05, 0.35),))
    return bend_picture(to_numbers(image), 255, source, *source.choice(kinds))


DESIGNS: dict[Design, int] = {
    draw_rippled_gradient: 3,
    draw_ring_ripple: 2,
    draw_drop_shadow: 1,
    draw_fish_eye_grid: 1,
    draw_curves_and_ovals: 3,
    draw_fading_letters: 1,
    draw_hundred_lines: 2,
    draw_many_circles: 2,
    draw_sheared: 3,
    draw_four_corners: 1,
    draw_holes: 1,
    draw_squiggles: 1,
    draw_wobbled_curves: 2,
}
"""The designs of this kind, each with its weight."""
