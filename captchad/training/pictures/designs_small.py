"""Designs of tiny pictures, as forums, campuses, banks and offices show: few pixels, thin lines, fine points."""

import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_greys import blend, choose_greys, mix_grey, mix_greys
from captchad.training.pictures.design_marks import cross_curve, frame, strew_dots, strew_lines, strew_short_lines
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.fonts import load_font
from captchad.training.pictures.glyphs import Pose, draw_bitmap_glyph
from captchad.training.pictures.planes import Numbers, blank, random_plane, to_image, to_numbers

_WIDTH_MOST_PIXELS = 420


def draw_tiny_blog(text: str, source: random.Random) -> Numbers:
    """A tiny picture: small letters of mixed fonts, hardly turned, on white."""
    size = choose_size(text, source, (66, 80), (22, 28), 4)
    row = Row(
        choose_kind(source, text, "serif", "sans", "bold", count=3),
        (mix_grey(source, 0, 60),),
        size=source.uniform(0.65, 0.8),
        pose=Pose(turn_degrees=source.choice((0, 8))),
        drift=0.06,
        gap=0.12,
    )
    return write_row(text, size, row, source).over(source.choice((255.0, 255.0, 225.0)))


def draw_small_framed(text: str, source: random.Random) -> Numbers:
    """A small framed picture: bold letters with a pale shadow, thin lines and points."""
    size = choose_size(text, source, (50, 76), (20, 30), 4)
    image = blank(size, source.uniform(225, 255))
    strew_lines(image, mix_greys(source, 140, 225, 3), source.randint(0, 5), source)
    strew_dots(image, mix_greys(source, 60, 230, 5), source.choice((0, 20, 60)), source)
    row = Row(choose_kind(source, text, "bold", "serif"), mix_greys(source, 0, 100, len(text)), size=0.8, drift=0.05)
    written = write_row(text, size, row, source)
    shadow = np.roll(written.cover, (1, 1), (0, 1)) * source.choice((0, 60))
    picture = written.over(to_numbers(image) - shadow)
    return frame(picture, source.uniform(0, 180))


def draw_campus(text: str, source: random.Random) -> Numbers:
    """A tiny picture: blue letters, much turned, among fine points."""
    size = choose_size(text, source, (66, 80), (25, 30), 4)
    grey = source.uniform(15, 60)
    pose = Pose(turn_degrees=source.choice((15, 28)))
    row = Row(choose_kind(source, text, "bold", "serif"), (grey,), size=0.72, pose=pose, drift=0.05, gap=0.08)
    picture = write_row(text, size, row, source).over(255.0)
    points = random_plane(picture.shape, source) < source.uniform(0.01, 0.05)
    return np.asarray(np.where(points, source.choice((grey, 120, 180)), picture), dtype=np.float32)


def draw_on_hatching(text: str, source: random.Random) -> Numbers:
    """Letters of several colours on slanting hatching, in a frame."""
    size = choose_size(text, source, (60, 100), (22, 36), 4)
    down, across = np.indices(size[::-1])
    step, slope = source.randint(4, 8), source.choice((-1, 1, 0.5, -0.5, 2))
    ground = source.uniform(225, 255)
    hatch = (across + slope * down) % step < 1
    if source.random() < 0.4:
        hatch |= (across - slope * down) % step < 1
    picture = ground - hatch * source.uniform(25, 90)
    row = Row(choose_kind(source, text, "bold", "serif"), mix_greys(source, 0, 100, len(text)), size=0.85, gap=0.12)
    picture = write_row(text, size, row, source).over(picture)
    return frame(picture, source.choice((0, 128, ground)))


def draw_built_in_font(text: str, source: random.Random) -> Numbers:
    """The eight by sixteen letters that drawing libraries bring along, with points, small or doubled."""
    rows, factor = source.choice((14, 16)), source.choice((1, 1, 2, 3))
    cover = _write_bitmap(text, rows, source)
    large = cover.resize((cover.width * factor, cover.height * factor), Image.Resampling.NEAREST)
    ground, ink = source.choice(((255.0, mix_grey(source, 0, 110)), (mix_grey(source, 0, 80), 255.0)))
    picture = ground + to_numbers(large) / 255 * (ink - ground)
    points = random_plane(picture.shape, source) < source.choice((0, 0.01, 0.04))
    return np.asarray(np.where(points, mix_grey(source, 0, 255), picture), dtype=np.float32)


def _write_bitmap(text: str, rows: int, source: random.Random) -> Image.Image:
    font = choose_kind(source, text, "built in")[0]
    glyphs = [draw_bitmap_glyph(font, rows, character) for character in text]
    advance = max(glyph.width for glyph in glyphs) + source.randint(1, 5)
    tallest = max(glyph.height for glyph in glyphs)
    jitter, edge = source.choice((0, 2, 3)), source.randint(2, 4)
    cover = Image.new("L", (advance * len(text) + source.randint(6, 14), tallest + 2 * (jitter + edge)), 0)
    for number, glyph in enumerate(glyphs):
        if box := glyph.getbbox():
            left = 4 + number * advance + (advance - box[2] + box[0]) // 2
            cover.paste(glyph, (left, edge + jitter + source.randint(-jitter, jitter)), glyph)
    return cover


def draw_of_small_signs(text: str, source: random.Random) -> Numbers:
    """Letters whose pixels are small signs, as they are drawn where nothing but text can be shown."""
    cover = _write_bitmap(text, source.choice((12, 14)), source)
    left, top, right, bottom = cover.getbbox() or (0, 0, *cover.size)
    cover = cover.crop((left - 2, top - 1, right + 2, bottom + 1))
    width = min(source.uniform(3, 4), _WIDTH_MOST_PIXELS / cover.width)
    height = max(4, round(width * source.uniform(1.2, 1.5)))
    image = Image.new("L", (round(cover.width * width), cover.height * height), 0)
    draw, signs = ImageDraw.Draw(image), source.choice(("#", "@", "X", "0", "*", "01", "8"))
    font = load_font(choose_kind(source, "#", "mono")[0], height + 3)
    for down, across in np.argwhere(np.asarray(cover)).tolist():
        draw.text((across * width, down * height - 2), source.choice(signs), 255, font)
    return blend(to_numbers(image) / 255, choose_greys(source))


def draw_registry(text: str, source: random.Random) -> Numbers:
    """Letters each of its own colour and turn, short lines strewn everywhere."""
    size = choose_size(text, source, (75, 95), (26, 34), 4)
    image = blank(size, source.uniform(215, 255))
    strew_short_lines(image, mix_greys(source, 110, 235, 8), source.randint(30, 90), 10, source)
    row = Row(
        choose_kind(source, text, "serif", "bold"),
        mix_greys(source, 0, 70, len(text)),
        size=0.9,
        pose=Pose(turn_degrees=source.choice((0, 20, 30))),
        is_slotted=True,
    )
    return write_row(text, size, row, source).over(to_numbers(image))


def draw_office(text: str, source: random.Random) -> Numbers:
    """Letters of several colours, a few lines of several colours through them, points."""
    size = choose_size(text, source, (70, 130), (28, 44), 4)
    row = Row(
        choose_kind(source, text, "bold", "serif", "mono"),
        mix_greys(source, 0, 120, len(text)),
        size=source.uniform(0.75, 0.95),
        is_heavy=source.random() < 0.2,
        is_slotted=source.random() < 0.6,
        drift=source.choice((0, 0.08)),
    )
    image = to_image(write_row(text, size, row, source).over(source.choice((255.0, 240.0))))
    strew_lines(image, mix_greys(source, 40, 220, 6), source.randint(3, 11), source)
    strew_dots(image, mix_greys(source, 40, 220, 6), source.choice((0, 60, 200)), source)
    return to_numbers(image)


def draw_grey_striped(text: str, source: random.Random) -> Numbers:
    """Plain dark letters on level stripes or a dithered grey, hardly moved from their places."""
    size = choose_size(text, source, (100, 180), (30, 45), 6)
    down, across = np.indices(size[::-1])
    kind = source.choice((down, across, down + across)) % source.choice((2, 3, 4)) < 1
    picture = source.uniform(200, 245) - kind * source.uniform(25, 90)
    row = Row(choose_kind(source, text, "bold", "serif", "mono"), (mix_grey(source, 0, 50),), size=0.85, gap=0.25)
    return write_row(text, size, row, source).over(picture)


def draw_light_on_dark(text: str, source: random.Random) -> Numbers:
    """Light letters on a dark plane, a light frame, dim lines."""
    size = choose_size(text, source, (60, 130), (24, 44), 4)
    image = blank(size, mix_grey(source, 0, 90))
    strew_lines(image, mix_greys(source, 60, 160, 3), source.randint(0, 6), source)
    row = Row(choose_kind(source, text, "bold", "sans", "serif"), mix_greys(source, 190, 255, 3), size=0.8, gap=0.1)
    picture = write_row(text, size, row, source).over(to_numbers(image))
    return frame(picture, 220) if source.random() < 0.5 else picture


def draw_sprayed(text: str, source: random.Random) -> Numbers:
    """Letters over a ground where every pixel has a light colour of its own."""
    size = choose_size(text, source, (60, 120), (24, 40), 4)
    grain = random_plane(size[::-1], source) * source.uniform(50, 150)
    coarse = np.repeat(np.repeat(grain, 2, 0), 2, 1)[: size[1], : size[0]] if source.random() < 0.3 else grain
    row = Row(choose_kind(source, text, "bold", "serif", "funny"), mix_greys(source, 0, 70, 3), size=0.85, drift=0.05)
    return write_row(text, size, row, source).over(255 - coarse)


def draw_curved_small(text: str, source: random.Random) -> Numbers:
    """Small letters and one or two curves of their colour, nothing else."""
    size = choose_size(text, source, (70, 120), (26, 40), 4)
    grey = mix_grey(source, 0, 120)
    pose = Pose(turn_degrees=source.choice((0, 15, 25)))
    row = Row(choose_kind(source, text, "bold", "serif"), (grey,), size=0.85, pose=pose, gap=source.uniform(0, 0.15))
    image = to_image(write_row(text, size, row, source).over(source.choice((255.0, mix_grey(source, 215, 255)))))
    for _ in range(source.randint(1, 3)):
        cross_curve(image, grey, 1, source)
    if source.random() < 0.3:
        ImageDraw.Draw(image).rectangle((0, 0, size[0] - 1, size[1] - 1), None, round(grey))
    return to_numbers(image)


DESIGNS: dict[Design, int] = {
    draw_tiny_blog: 2,
    draw_small_framed: 2,
    draw_campus: 2,
    draw_on_hatching: 2,
    draw_built_in_font: 2,
    draw_of_small_signs: 1,
    draw_registry: 2,
    draw_office: 3,
    draw_grey_striped: 1,
    draw_light_on_dark: 1,
    draw_sprayed: 1,
    draw_curved_small: 2,
}
"""The designs of this kind, each with its weight."""
