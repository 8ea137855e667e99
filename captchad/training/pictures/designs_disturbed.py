"""Designs of commercial kinds whose whole picture was disturbed: cut, melted, netted, lit, snowed on, smeared."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_bends import bend_picture, pull, swirl, wave_across, wave_down
from captchad.training.pictures.design_bold import begin_bold, write_bold
from captchad.training.pictures.design_covers import find_edges, soften
from captchad.training.pictures.design_greys import blend, choose_greys, mix_grey
from captchad.training.pictures.design_marks import cross_curve, strew_dots, strew_lines
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.planes import Numbers, random_plane, seed_numbers, to_image, to_numbers


def _measure_from_a_point(shape: tuple[int, ...], source: random.Random) -> tuple[Numbers, Numbers]:
    height, width = shape
    down, across = np.indices(shape, dtype=np.float32)
    return down - height * source.uniform(0.2, 0.8), across - width * source.uniform(0.1, 0.9)


def draw_sun_and_warm_air(text: str, source: random.Random) -> Numbers:
    """A pale sun behind letters that hot air makes tremble."""
    cover = write_bold(text, source).cover
    south, east = _measure_from_a_point(cover.shape, source)
    glow = np.clip(1.2 - np.hypot(south, east) / (cover.shape[0] * source.uniform(0.4, 1)), 0, 1)
    picture = blend(np.maximum(cover, glow * source.uniform(0.2, 0.4)), greys := choose_greys(source))
    bends = (wave_across(0.025, source.uniform(0.2, 0.4)), wave_down(0.03, source.uniform(0.5, 1.5)))
    return bend_picture(picture, greys.ground, source, *bends)


def draw_cut(text: str, source: random.Random) -> Numbers:
    """Letters cut along a slanting line, one part moved aside; a fine gap between them."""
    cover = write_bold(text, source, (46, 85), gap=0.14).cover
    height, width = cover.shape
    down, across = np.indices(cover.shape)
    slope = source.uniform(-0.3, 0.3) * height / width
    place = down - height * source.uniform(0.4, 0.6) - slope * (across - width / 2)
    moved = np.roll(cover, source.choice((-1, 1)) * source.randint(2, max(3, height // 14)), 1)
    parts = np.where(place > 0, cover, moved)
    return blend(np.where(np.abs(place) < source.choice((0, 1)), 0, parts), choose_greys(source))


def draw_jail(text: str, source: random.Random) -> Numbers:
    """Letters behind bars, lighter than they are or cut out of them."""
    cover = write_bold(text, source, (50, 90)).cover
    across = np.indices(cover.shape)[1]
    step = source.randint(9, 18)
    bars = (across % step < source.choice((1, 2, 2))).astype(np.float32)
    grey = source.choice((0, 0.45, 0.6))
    rails = np.zeros_like(bars)
    rails[2:4], rails[-4:-2] = grey, grey
    return blend(np.maximum(np.where(bars > 0, grey, cover), rails), choose_greys(source))


def draw_melting(text: str, source: random.Random) -> Numbers:
    """Letters that run down, each column as far as it happens to."""
    cover = write_bold(text, source, (55, 90)).cover
    numbers = seed_numbers(source)
    smear, left = cover.copy(), cover.copy()
    coarse = numbers.random((1, cover.shape[1] // 3 + 1), dtype=np.float32)
    keep = np.repeat(0.4 + 0.45 * coarse, 3, 1)[:, : cover.shape[1]]
    for _ in range(source.randint(5, 11)):
        left = np.roll(left, 1, 0) * keep
        left[0] = 0
        smear = np.maximum(smear, left)
    return blend(smear, choose_greys(source))


def draw_negative_parts(text: str, source: random.Random) -> Numbers:
    """A picture of which one part is the negative of the other; the border runs through letters."""
    cover = write_bold(text, source).cover
    height, width = cover.shape
    down, across = np.indices(cover.shape)
    kind = source.randrange(3)
    if kind == 0:
        part = down > height * source.uniform(0.35, 0.65) + (across - width / 2) * source.uniform(-0.2, 0.2)
    elif kind == 1:
        part = across > width * source.uniform(0.2, 0.8) + (down - height / 2) * source.uniform(-1, 1)
    else:
        part = across % (width / source.randint(2, 5)) < width / source.randint(5, 10)
    return blend(np.where(part, 1 - cover, cover), choose_greys(source))


def draw_web(text: str, source: random.Random) -> Numbers:
    """A spider's web spun over letters."""
    image, greys = begin_bold(text, source)
    draw, grey = ImageDraw.Draw(image), round(greys.ground + greys.contrast * source.choice((0, 0.4, 0.6, 0.8)))
    centre = (source.uniform(0.2, 0.8) * image.width, source.uniform(0.1, 0.9) * image.height)
    angles = [math.tau * (number + source.uniform(-0.2, 0.2)) / 11 for number in range(11)]
    for reach in range(image.height // 5, image.width, image.height // source.randint(3, 5)):
        corners = [(centre[0] + reach * math.cos(a), centre[1] + reach * math.sin(a)) for a in angles]
        draw.polygon(corners, None, grey)
    for angle in angles:
        end = (centre[0] + image.width * math.cos(angle), centre[1] + image.width * math.sin(angle))
        draw.line([centre, end], grey)
    return to_numbers(image)


def draw_split(text: str, source: random.Random) -> Numbers:
    """Letters that cracks of the ground's grey go through, as through glass."""
    image, greys = begin_bold(text, source)
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(3, 7)):
        place, points = source.randrange(image.width), []
        for down in range(0, image.height + 8, 8):
            points.append((place, down))
            place += source.randint(-9, 9)
        draw.line(points, round(greys.ground), source.choice((1, 1, 2)))
    return to_numbers(image)


def draw_netted(text: str, source: random.Random) -> Numbers:
    """Letters caught in a net that is pulled out of shape."""
    cover, greys = write_bold(text, source, (50, 90)).cover, choose_greys(source)
    down, across = np.indices(cover.shape)
    step = source.randint(7, 15)
    threads = ((down + across) % step < 1) | ((down - across) % step < 1)
    net = bend_picture(np.asarray(threads, dtype=np.float32), 0, source, pull(0.08, 0.6)) * source.uniform(0.4, 0.9)
    return blend(np.where(cover > 0.5, cover - net * source.choice((0, 0.9)), net), greys)


def draw_cross_shadow(text: str, source: random.Random) -> Numbers:
    """Letters that throw pale shadows to two sides."""
    cover = write_bold(text, source, gap=0.2).cover
    picture = cover.copy()
    for east in (-1, 1):
        for depth in range(1, cover.shape[0] // source.randint(7, 11)):
            shifted = np.roll(cover, (depth, east * depth), (0, 1))
            picture = np.maximum(picture, shifted * source.uniform(0.15, 0.35))
    return blend(picture, choose_greys(source))


def draw_electric(text: str, source: random.Random) -> Numbers:
    """Flashes of lightning across glowing letters."""
    cover, greys = write_bold(text, source, (50, 90)).cover, choose_greys(source)
    image = to_image(blend(np.maximum(cover, soften(cover, 2.5) * 0.5), greys))
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(2, 6)):
        down, points = source.uniform(0.2, 0.8) * image.height, []
        for across in range(0, image.width + 9, source.randint(5, 9)):
            points.append((across, down))
            down = min(max(down + source.uniform(-0.14, 0.14) * image.height, 0), image.height)
        draw.line(points, round(greys.ground + greys.contrast * source.choice((0.5, 0.8, 1))))
    return to_numbers(image)


def draw_flash(text: str, source: random.Random) -> Numbers:
    """Rays from a point that lighten and darken the ground by turns."""
    cover = write_bold(text, source).cover
    south, east = _measure_from_a_point(cover.shape, source)
    rays = np.sin(np.arctan2(south, east) * source.randint(8, 20)) > 0
    return blend(np.maximum(cover, rays * source.uniform(0.2, 0.55)), choose_greys(source))


def draw_ghosts(text: str, source: random.Random) -> Numbers:
    """Soft letters with pale blurred doubles to their sides."""
    cover = write_bold(text, source, gap=0.16).cover
    soft, picture = soften(cover, 2), soften(cover, source.uniform(0.4, 1))
    for _ in range(source.randint(1, 3)):
        shift = (source.randint(-5, 5), source.choice((-1, 1)) * source.randint(3, 8))
        picture = np.maximum(picture, np.roll(soft, shift, (0, 1)) * source.uniform(0.3, 0.6))
    return blend(picture, choose_greys(source))


def draw_paint_mess(text: str, source: random.Random) -> Numbers:
    """Letters on broad pale strokes of a brush, a few thin ones and spots over them."""
    written = write_bold(text, source, (50, 90))
    image = Image.new("L", written.cover.shape[::-1], round(mix_grey(source, 190, 255)))
    for _ in range(source.randint(3, 7)):
        cross_curve(image, mix_grey(source, 130, 255), source.randint(4, 12), source)
    image = to_image(written.over(to_numbers(image)))
    for _ in range(source.randint(0, 2)):
        cross_curve(image, mix_grey(source, 60, 255), 2, source)
    strew_dots(image, (mix_grey(source, 0, 255), 255), source.randint(5, 30), source, 2)
    return to_numbers(image)


def draw_water_rings(text: str, source: random.Random) -> Numbers:
    """Rings around a point, in which letters turn light and dark by turns on a middling ground."""
    cover = write_bold(text, source, (55, 90)).cover
    south, east = _measure_from_a_point(cover.shape, source)
    rings = np.sin(np.hypot(south, east) * (math.tau / source.uniform(6, 14)))
    ground = 0.25 + 0.2 * rings
    return blend(np.where(cover > 0.5, 0.8 + 0.2 * rings, ground), choose_greys(source))


def draw_rough_outlines(text: str, source: random.Random) -> Numbers:
    """Outlines drawn with a shaking hand, twice."""
    edge = find_edges(write_bold(text, source, (55, 90), gap=0.16).cover)
    hands = [bend_picture(edge, 0, source, pull(0.03, 0.15)) for _ in range(source.choice((1, 2)))]
    return blend(np.maximum.reduce(hands), choose_greys(source))


def draw_snow(text: str, source: random.Random) -> Numbers:
    """Flakes of the letters' grey or of the ground's fall over everything."""
    image, greys = begin_bold(text, source)
    share = source.choice((0.005, 0.012))
    count = round(image.width * image.height * share)
    strew_dots(image, source.choice(((greys.ink,), (greys.ground, greys.ink), (greys.ground,))), count, source, 1.6)
    fine = random_plane((image.height, image.width), source) < source.uniform(0, 0.06)
    return np.asarray(np.where(fine, greys.ink, to_numbers(image)), dtype=np.float32)


def draw_vertigo(text: str, source: random.Random) -> Numbers:
    """Letters on the turning arms of a spiral, turned a little themselves."""
    cover = write_bold(text, source).cover
    south, east = _measure_from_a_point(cover.shape, source)
    turns = np.arctan2(south, east) * source.choice((1, 2, 3)) + np.hypot(south, east) / source.uniform(2.5, 6)
    arms = (np.sin(turns) > 0.3) * source.uniform(0.2, 0.5)
    greys = choose_greys(source)
    return bend_picture(blend(np.maximum(cover, arms), greys), greys.ground, source, swirl(source.uniform(0, 0.5)))


def draw_thick_and_thin(text: str, source: random.Random) -> Numbers:
    """Thin lines of the letters' grey and broader ones of the ground's through the letters."""
    image, greys = begin_bold(text, source)
    strew_lines(image, (greys.ground,), source.randint(2, 6), source, source.choice((2, 3)))
    strew_lines(image, (greys.ink,), source.randint(3, 10), source, source.choice((1, 1, 2)))
    return to_numbers(image)


DESIGNS: dict[Design, int] = {
    draw_sun_and_warm_air: 2,
    draw_cut: 2,
    draw_jail: 1,
    draw_melting: 1,
    draw_negative_parts: 2,
    draw_web: 1,
    draw_split: 1,
    draw_netted: 1,
    draw_cross_shadow: 1,
    draw_electric: 1,
    draw_flash: 1,
    draw_ghosts: 1,
    draw_paint_mess: 1,
    draw_water_rings: 2,
    draw_rough_outlines: 1,
    draw_snow: 1,
    draw_vertigo: 1,
    draw_thick_and_thin: 1,
}
"""The designs of this kind, each with its weight."""
