"""Designs after what large sites have shown: touching letters, heavy arcs, scanned words, hatched grounds."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from captchad.training.pictures.curves import bend_between
from captchad.training.pictures.design_bends import bend_picture, bend_written, pull, slant, wave_across, wave_down
from captchad.training.pictures.design_covers import grow, roughen
from captchad.training.pictures.design_greys import mix_grey, mix_greys
from captchad.training.pictures.design_marks import cross_curve, cross_sine, strew_dots, strew_lines, strew_short_lines
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose, hollow
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.planes import Numbers, blank, seed_numbers, to_image, to_numbers


def _draw_arcs(image: Image.Image, greys: tuple[float, ...], count: int, wide: int, source: random.Random) -> None:
    """Draw arcs about as long as a letter is high."""
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        left, top = source.uniform(0, image.width), source.uniform(0.1, 0.9) * image.height
        reach, angle = image.height * source.uniform(0.4, 0.9), source.uniform(0, math.tau)
        ends = [(left, top), (left + reach * math.cos(angle), top + reach * math.sin(angle) * 0.6)]
        middle = ((ends[0][0] + ends[1][0]) / 2 + source.uniform(-12, 12), (ends[0][1] + ends[1][1]) / 2 - reach / 3)
        draw.line(bend_between([ends[0], middle, ends[1]]), round(source.choice(greys)), wide, "curve")


def draw_arced(text: str, source: random.Random) -> Numbers:
    """Dark letters, arcs as thick as their strokes beside them, thin ones of the ground's grey through them."""
    size = choose_size(text, source, (190, 230), (46, 64), 8)
    grey, ground = mix_grey(source, 0, 90), mix_grey(source, 215, 255)
    pose = Pose(turn_degrees=12, slant=0.15)
    row = Row(choose_kind(source, text, "bold"), (grey,), size=0.7, pose=pose, drift=0.12, gap=0.08)
    image = to_image(bend_written(write_row(text, size, row, source), source, pull(0.04, 0.5)).over(ground))
    _draw_arcs(image, (grey,), source.randint(2, 6), source.choice((2, 3)), source)
    _draw_arcs(image, (ground,), source.randint(2, 5), 2, source)
    return to_numbers(image)


def draw_touching_heavy(text: str, source: random.Random) -> Numbers:
    """Heavy black letters that touch and lean to and fro, nothing beside them or one cut."""
    size = choose_size(text, source, (150, 210), (55, 75), 6)
    pose = Pose(turn_degrees=source.choice((18, 28)), stretch=0.15, slant=0.2)
    row = Row(
        choose_kind(source, text, "bold"),
        (0.0,),
        size=0.75,
        pose=pose,
        gap=source.uniform(-0.12, -0.02),
        drift=0.08,
        is_trimmed=True,
    )
    image = to_image(bend_written(write_row(text, size, row, source), source, pull(0.05, 0.5)).over(255.0))
    if source.random() < 0.4:
        cross_curve(image, 255, source.choice((1, 2)), source)
    return to_numbers(image)


def draw_scanned_word(text: str, source: random.Random) -> Numbers:
    """A printed word as an old book's scan shows it, bent; perhaps a disc turned negative or a line through."""
    size = choose_size(text, source, (130, 200), (50, 60), 6)
    row = Row(choose_kind(source, text, "serif"), (0.0,), size=source.uniform(0.7, 0.95), gap=0.03)
    bends = (wave_down(0.08, source.uniform(1.5, 3)), slant(0.25), pull(0.04, 0.7))
    cover = roughen(bend_written(write_row(text, size, row, source), source, *bends).cover, source)
    kind = source.random()
    if kind < 0.3:
        disc = Image.new("L", size, 0)
        left, wide = source.uniform(0.1, 0.6) * size[0], size[1] * source.uniform(0.6, 1.3)
        ImageDraw.Draw(disc).ellipse((left, size[1] * 0.15, left + wide, size[1] * 0.85), 255)
        cover = np.abs(cover - to_numbers(disc) / 255)
    image = to_image(255 - 255 * cover)
    if kind > 0.6:
        cross_sine(image, 0, 2, source)
    return to_numbers(image.filter(ImageFilter.SMOOTH))


def draw_italic_cut(text: str, source: random.Random) -> Numbers:
    """Slanted touching digits and letters of one colour, thin lines of the ground's grey through them."""
    size = choose_size(text, source, (140, 200), (45, 65), 6)
    grey, ground = mix_grey(source, 0, 110), source.choice((255.0, mix_grey(source, 210, 255)))
    row = Row(choose_kind(source, text, "serif", "bold"), (grey,), size=0.8, gap=-0.02, is_heavy=True)
    bends = (slant(0.6), wave_down(0.05, 2))
    image = to_image(bend_written(write_row(text, size, row, source), source, *bends).over(ground))
    strew_lines(image, (ground,), source.randint(3, 8), source)
    return to_numbers(image)


def draw_hollow_crossed(text: str, source: random.Random) -> Numbers:
    """Hollow letters that overlap a little, thin curves of their grey from side to side."""
    size = choose_size(text, source, (120, 180), (50, 70), 5)
    grey, ground = mix_grey(source, 0, 70), mix_grey(source, 225, 255)
    pose = Pose(turn_degrees=15)
    row = Row(
        choose_kind(source, text, "bold", "funny"),
        (grey,),
        size=0.85,
        pose=pose,
        cuts=(hollow,),
        gap=0.0,
        drift=0.06,
    )
    image = to_image(write_row(text, size, row, source).over(ground))
    for _ in range(source.randint(1, 3)):
        cross_curve(image, grey, 1, source)
    return to_numbers(image)


def draw_leaning_pair(text: str, source: random.Random) -> Numbers:
    """Letters of one colour that lean onto each other on white, one thick curve through all."""
    size = choose_size(text, source, (90, 140), (34, 52), 4)
    grey = mix_grey(source, 10, 140)
    pose = Pose(turn_degrees=source.choice((15, 28)))
    fonts, gap = choose_kind(source, text, "bold", "funny"), source.uniform(-0.12, -0.02)
    row = Row(fonts, (grey,), size=0.85, pose=pose, gap=gap, is_trimmed=True)
    bends = (wave_down(0.06, 1.6), wave_across(0.05, 1.2))
    image = to_image(bend_written(write_row(text, size, row, source), source, *bends).over(255.0))
    if source.random() < 0.7:
        cross_sine(image, grey, source.choice((1, 1, 2)), source)
    return to_numbers(image)


def draw_on_clouds(text: str, source: random.Random) -> Numbers:
    """Letters of several colours with pale rims on a photograph's light and dark places."""
    size = choose_size(text, source, (120, 170), (46, 60), 4)
    ground = draw_ground(GroundPlan(size[1], size[0], 200, source.uniform(20, 60)), source)
    row = Row(
        choose_kind(source, text, "serif", "funny", "bold", count=2),
        mix_greys(source, 0, 110, len(text)),
        size=0.85,
        pose=Pose(turn_degrees=22, slant=0.15),
        drift=0.08,
        gap=source.uniform(-0.03, 0.08),
    )
    written = write_row(text, size, row, source)
    rim = grow(written.cover, 3)
    return written.over(ground + rim * (250 - ground) * source.choice((0, 0.7)))


def draw_railway(text: str, source: random.Random) -> Numbers:
    """Bold slanted letters widely apart on a fade, a straight line through their middle."""
    size = choose_size(text, source, (130, 210), (40, 60), 5)
    fade = np.linspace(source.uniform(190, 255), 255, size[1], dtype=np.float32)[:, None]
    ground = np.repeat(fade if source.random() < 0.5 else fade[::-1], size[0], 1)
    grey = mix_grey(source, 0, 110)
    row = Row(choose_kind(source, text, "bold italic"), (grey,), size=0.85, gap=0.2)
    image = to_image(write_row(text, size, row, source).over(ground))
    for _ in range(source.choice((1, 1, 2, 3))):
        ends = [(0, size[1] * source.uniform(0.3, 0.7)), (size[0], size[1] * source.uniform(0.3, 0.7))]
        ImageDraw.Draw(image).line(ends, round(grey), source.choice((1, 2)))
    return to_numbers(image)


def draw_bitmap_streaks(text: str, source: random.Random) -> Numbers:
    """Capital letters on a ground of rows of random greys, as if pressed too hard."""
    size = choose_size(text, source, (150, 190), (38, 48), 6)
    numbers = seed_numbers(source)
    streaks = numbers.uniform(0, source.uniform(40, 110), (size[1], -(-size[0] // 4)))
    ground = 255 - np.repeat(streaks, source.choice((4, 4, 6)), 1)[:, : size[0]].astype(np.float32)
    row = Row(choose_kind(source, text, "bold", "serif"), (mix_grey(source, 0, 60),), size=0.8, gap=0.15, drift=0.06)
    return write_row(text, size, row, source).over(ground)


def draw_ministry(text: str, source: random.Random) -> Numbers:
    """Warped digits or letters with dashes and dots of their grey strewn about."""
    size = choose_size(text, source, (150, 220), (60, 100), 6)
    grey = mix_grey(source, 20, 120)
    row = Row(choose_kind(source, text, "serif", "bold"), (grey,), size=0.6, pose=Pose(turn_degrees=15), drift=0.1)
    bends = (wave_down(0.06, 1.8), wave_across(0.05, 1.0))
    image = to_image(bend_written(write_row(text, size, row, source), source, *bends).over(255.0))
    strew_short_lines(image, (grey,), source.randint(20, 70), 9, source)
    strew_dots(image, (grey,), source.randint(10, 60), source, source.choice((0, 1.2)))
    return to_numbers(image)


def draw_payment(text: str, source: random.Random) -> Numbers:
    """Thin grey letters on a grid of hairlines and a pale weave."""
    size = choose_size(text, source, (150, 210), (45, 60), 5)
    down, across = np.indices(size[::-1])
    step = source.randint(5, 12)
    lines = ((down % step < 1) | (across % step < 1)) * source.uniform(40, 110)
    weave = np.sin(across / source.uniform(3, 9)) * np.sin(down / source.uniform(3, 9)) * source.uniform(0, 15)
    row = Row(
        choose_kind(source, text, "mono", "sans", "narrow"), (mix_grey(source, 0, 90),), size=0.8, gap=0.2, drift=0.1
    )
    picture = write_row(text, size, row, source).over(235 - lines + weave)
    return bend_picture(picture, 235, source, wave_down(0.04, 1.5)) if source.random() < 0.4 else picture


def draw_game_shop(text: str, source: random.Random) -> Numbers:
    """Light letters on swirls of dark greys, turned, with broad curves of a middling grey behind."""
    size = choose_size(text, source, (180, 220), (40, 70), 6)
    image = blank(size, mix_grey(source, 10, 70))
    for _ in range(source.randint(3, 8)):
        cross_curve(image, mix_grey(source, 20, 120), source.randint(2, 8), source)
    pose = Pose(turn_degrees=15)
    row = Row(choose_kind(source, text, "bold", "sans"), mix_greys(source, 190, 255, 3), size=0.75, pose=pose)
    return write_row(text, size, row, source).over(to_numbers(image.filter(ImageFilter.GaussianBlur(1))))


def draw_noisy_shop(text: str, source: random.Random) -> Numbers:
    """Narrow letters close to each other under fine lines of several greys."""
    size = choose_size(text, source, (100, 150), (34, 50), 4)
    row = Row(choose_kind(source, text, "narrow", "bold"), mix_greys(source, 0, 90, 3), size=0.95, drift=0.05, gap=0.04)
    image = to_image(write_row(text, size, row, source).over(source.uniform(225, 255)))
    strew_lines(image, mix_greys(source, 60, 220, 6), source.randint(6, 18), source)
    return to_numbers(image)


DESIGNS: dict[Design, int] = {
    draw_arced: 3,
    draw_touching_heavy: 3,
    draw_scanned_word: 3,
    draw_italic_cut: 2,
    draw_hollow_crossed: 2,
    draw_leaning_pair: 3,
    draw_on_clouds: 1,
    draw_railway: 2,
    draw_bitmap_streaks: 2,
    draw_ministry: 2,
    draw_payment: 1,
    draw_game_shop: 1,
    draw_noisy_shop: 2,
}
"""The designs of this kind, each with its weight."""
