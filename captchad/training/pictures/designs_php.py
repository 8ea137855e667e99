"""Designs after what PHP libraries and frameworks show: light grounds, waved letters of one colour, lines across."""

import random

import numpy as np
from PIL import ImageDraw, ImageFilter

from captchad.training.pictures.design_bends import (
    bend_picture,
    bend_written,
    pull,
    slant,
    swirl,
    wave_across,
    wave_down,
)
from captchad.training.pictures.design_covers import find_edges
from captchad.training.pictures.design_greys import mix_grey, mix_greys
from captchad.training.pictures.design_marks import cross_curve, cross_sine, strew_dots, strew_letters, strew_lines
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, lay_row, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.planes import Numbers, blank, plain, to_image, to_numbers


def draw_lined_and_pulled(text: str, source: random.Random) -> Numbers:
    """Letters of one colour on a light one, lines under and over them, the whole pulled softly."""
    size = choose_size(text, source, (130, 170), (36, 50))
    ground = mix_grey(source, 200, 255)
    image = blank(size, ground)
    strew_lines(image, mix_greys(source, 100, 255, 4), source.randint(0, 8), source, source.choice((1, 2)))
    pose = Pose(turn_degrees=8)
    row = Row(choose_kind(source, text, "bold", "serif", "funny"), (mix_grey(source, 0, 120),), pose=pose, drift=0.08)
    image = lay_row(text, row, image, source)
    strew_lines(image, mix_greys(source, 60, 255, 4), source.randint(0, 4), source, source.choice((1, 2)))
    picture = bend_picture(to_numbers(image), ground, source, wave_down(0.05, 2.5), pull(0.03, 0.6))
    return 255 - picture if source.random() < 0.1 else picture


def draw_grey_lines(text: str, source: random.Random) -> Numbers:
    """Distorted middling letters, lines of their own grey through them, many dots."""
    size = choose_size(text, source, (175, 230), (60, 85), 6)
    grey, ground = source.uniform(60, 120), source.choice((255.0, 235.0))
    fonts, pose = choose_kind(source, text, "funny", "bold", "serif"), Pose(turn_degrees=10)
    row = Row(fonts, (grey,), size=source.uniform(0.45, 0.7), pose=pose, gap=0.12, drift=0.08)
    written = bend_written(write_row(text, size, row, source), source, swirl(source.uniform(0.1, 0.4)))
    written = bend_written(written, source, pull(0.05, 0.5))
    image = to_image(written.over(ground))
    for _ in range(source.randint(1, 6)):
        cross_curve(image, grey, source.choice((1, 2)), source)
    strew_dots(image, (grey,), round(size[0] * size[1] * source.choice((0, 0.01, 0.03))), source)
    return to_numbers(image)


def draw_on_photograph(text: str, source: random.Random) -> Numbers:
    """Turned letters of several colours on a texture, with lines; now and then blurred or turned negative."""
    size = choose_size(text, source, (110, 165), (34, 50))
    ground = draw_ground(GroundPlan(size[1], size[0], source.uniform(180, 225), source.uniform(15, 60)), source)
    row = Row(
        choose_kind(source, text, "bold", "funny", "serif", count=2),
        mix_greys(source, 0, 100, len(text)),
        size=source.uniform(0.6, 0.8),
        size_spread=0.1,
        pose=Pose(turn_degrees=source.choice((5, 15))),
        is_slotted=True,
    )
    image = to_image(write_row(text, size, row, source).over(ground))
    strew_lines(image, mix_greys(source, 0, 255, 4), source.choice((0, 3, 6, 12)), source)
    image = image.filter(ImageFilter.GaussianBlur(0.7)) if source.random() < 0.2 else image
    return 255 - to_numbers(image) if source.random() < 0.15 else to_numbers(image)


def draw_sine_and_noise_letters(text: str, source: random.Random) -> Numbers:
    """Turned letters of one colour, a heavy sine curve of the same colour, small pale letters behind."""
    size = choose_size(text, source, (120, 250), (40, 70))
    grey, ground = mix_grey(source, 1, 130), source.uniform(240, 255)
    image = blank(size, ground)
    if source.random() < 0.8:
        strew_letters(image, mix_greys(source, 150, 225, 10), source.randint(15, 50), max(8, size[1] // 5), source)
    pose = Pose(turn_degrees=source.choice((10, 25, 38)))
    row = Row(choose_kind(source, text, "funny", "bold", "serif"), (grey,), size=0.62, pose=pose, is_slotted=True)
    image = lay_row(text, row, image, source)
    if source.random() < 0.8:
        cross_sine(image, grey, max(1, size[1] // source.randint(14, 24)), source)
    return to_numbers(image)


def draw_dancing_baseline(text: str, source: random.Random) -> Numbers:
    """Letters of changing size close to each other, a little turned, nothing else."""
    size = choose_size(text, source, (100, 140), (40, 60), 6)
    row = Row(
        choose_kind(source, text, "serif", "funny", "bold"),
        (mix_grey(source, 0, 130),),
        size=0.62,
        size_spread=0.12,
        pose=Pose(turn_degrees=10),
        gap=source.uniform(-0.07, 0.04),
        drift=0.12,
    )
    return write_row(text, size, row, source).over(source.choice((255.0, 255.0, source.uniform(210, 255))))


def draw_dots_then_wave(text: str, source: random.Random) -> Numbers:
    """Black letters, dots and lines, all waved in both ways, and dots again."""
    size = choose_size(text, source, (160, 220), (45, 75), 6)
    row = Row(choose_kind(source, text, "bold", "serif"), (0.0,), size=source.uniform(0.5, 0.75), gap=0.1)
    image = to_image(write_row(text, size, row, source).over(255.0))
    strew_dots(image, (0,), source.choice((10, 50, 100)), source, 1)
    strew_lines(image, (0,), source.choice((0, 2, 5)), source)
    bends = (wave_down(0.06, source.uniform(0.8, 2)), wave_across(0.06, source.uniform(0.8, 1.6)))
    image = to_image(bend_picture(to_numbers(image), 255, source, *bends))
    strew_dots(image, (0,), source.choice((0, 50, 100)), source, 1)
    return to_numbers(image)


def draw_wire_ground(text: str, source: random.Random) -> Numbers:
    """Large shadowed letters of several greys on a grid of crooked lines."""
    size = choose_size(text, source, (220, 320), (60, 96), 6)
    ground = mix_grey(source, 190, 255)
    image = blank(size, ground)
    draw, lines, step = ImageDraw.Draw(image), ground - source.uniform(30, 70), source.randint(9, 22)
    for place in range(0, size[0], step):
        draw.line([(place, 0), (place + source.randint(-9, 9), size[1])], round(lines))
    for place in range(0, size[1], step):
        draw.line([(0, place), (size[0], place + source.randint(-6, 6))], round(lines))
    pose = Pose(turn_degrees=18, slant=0.2)
    row = Row(choose_kind(source, text, "bold"), mix_greys(source, 0, 110, 4), size=0.7, pose=pose, is_slotted=True)
    written = write_row(text, size, row, source)
    picture = to_numbers(image)
    shadow = np.roll(written.cover, (2, 2), (0, 1))
    return written.over(picture - shadow * source.uniform(30, 90))


def draw_double_vision(text: str, source: random.Random) -> Numbers:
    """Letters seen twice, turned each on its own, with dots and lines, rippled."""
    size = choose_size(text, source, (150, 220), (50, 80))
    grey, ground = mix_grey(source, 0, 80), mix_grey(source, 215, 255)
    pose = Pose(turn_degrees=source.choice((5, 12)))
    row = Row(choose_kind(source, text, "bold", "serif"), (grey,), size=0.65, pose=pose, gap=0.14)
    written = write_row(text, size, row, source)
    second = np.roll(written.cover, (source.choice((-2, 2)), source.choice((2, 3))), (0, 1))
    image = to_image(written.over(ground - second * (ground - grey) * source.uniform(0.3, 0.6)))
    strew_lines(image, (grey, ground), source.choice((0, 3, 8)), source)
    strew_dots(image, (grey, ground, 128), source.choice((0, 150, 400)), source)
    return bend_picture(to_numbers(image), ground, source, wave_down(0.04, 1.2), wave_across(0.03, 1.0))


def draw_smooth_waves(text: str, source: random.Random) -> Numbers:
    """Letters of one clear colour, condensed, waved smoothly in both ways; perhaps one line."""
    size = choose_size(text, source, (170, 220), (55, 80), 6)
    grey = mix_grey(source, 10, 130)
    row = Row(
        choose_kind(source, text, source.choice(("funny", "narrow", "serif", "bold"))),
        (grey,),
        size=source.uniform(0.55, 0.75),
        pose=Pose(turn_degrees=8),
        gap=source.uniform(-0.08, 0.05),
    )
    bends = (wave_across(0.05, source.uniform(0.7, 1.2)), wave_down(0.1, source.uniform(1.3, 2.2)))
    image = to_image(bend_written(write_row(text, size, row, source), source, *bends).over(255.0))
    if source.random() < 0.25:
        strew_lines(image, (grey,), 1, source, 2)
    return to_numbers(image)


def draw_joined_and_waved(text: str, source: random.Random) -> Numbers:
    """Letters pushed together and waved twice over, light on dark or dark on light; perhaps a strip below."""
    size = choose_size(text, source, (120, 170), (60, 80), 6)
    dark, light = mix_grey(source, 0, 110), mix_grey(source, 225, 255)
    ground, ink = source.choice(((light, dark), (dark, light)))
    row = Row(
        choose_kind(source, text, "serif", "bold", "sans"),
        (ink,),
        size=0.55,
        gap=source.uniform(-0.1, -0.02),
        drift=0.08,
    )
    bends = (wave_down(0.05, 0.8), wave_down(0.05, 1.9), wave_across(0.04, 0.9))
    picture = bend_written(write_row(text, size, row, source), source, *bends).over(ground)
    if source.random() < 0.3:
        strip = plain((size[0], source.randint(9, 13)), ink)
        return np.concatenate([picture, strip], 0)
    return picture


def draw_rough_words(text: str, source: random.Random) -> Numbers:
    """Black words on white, bent as a whole, frayed by small displacements; solid or as outlines."""
    size = choose_size(text, source, (180, 255), (50, 75), 7)
    row = Row(choose_kind(source, text, "bold", "serif"), (0.0,), size=0.75, gap=source.uniform(-0.02, 0.05))
    bends = (pull(0.08, 0.9), pull(0.02, 0.1), slant(0.4), wave_down(0.05, 3))
    written = bend_written(write_row(text, size, row, source), source, *bends)
    if source.random() < 0.35:
        return 255 - 255 * find_edges(written.cover)
    return written.over(255.0)


def draw_forum(text: str, source: random.Random) -> Numbers:
    """Skewed letters of mixed fonts with a dark or light rim on a gradient, a few curves behind."""
    size = choose_size(text, source, (110, 160), (40, 62), 4)
    down, across = (np.linspace(-1, 1, extent, dtype=np.float32) for extent in reversed(size))
    middle = mix_grey(source, 170, 235)
    fade = across[None, :] * source.uniform(-25, 25) + down[:, None] * source.uniform(-25, 25)
    image = to_image(middle + fade)
    for _ in range(source.randint(0, 5)):
        cross_curve(image, mix_grey(source, 120, 255), 1, source)
    row = Row(
        choose_kind(source, text, "bold", "serif", "funny", count=3),
        mix_greys(source, 0, 100, source.choice((1, len(text)))),
        size=0.7,
        pose=Pose(turn_degrees=20, slant=0.3),
        drift=0.1,
        gap=source.uniform(-0.02, 0.15),
    )
    written = write_row(text, size, row, source)
    rim = np.roll(written.cover, (1, 1), (0, 1)) * (source.choice((0, 255)) - middle) * 0.6
    return written.over(to_numbers(image) + rim)


DESIGNS: dict[Design, int] = {
    draw_lined_and_pulled: 3,
    draw_grey_lines: 3,
    draw_on_photograph: 3,
    draw_sine_and_noise_letters: 3,
    draw_dancing_baseline: 2,
    draw_dots_then_wave: 2,
    draw_wire_ground: 1,
    draw_double_vision: 1,
    draw_smooth_waves: 2,
    draw_joined_and_waved: 3,
    draw_rough_words: 2,
    draw_forum: 2,
}
"""The designs of this kind, each with its weight."""
