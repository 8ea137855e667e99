"""Designs made of dots, pixels, boxes and noise."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_covers import soften
from captchad.training.pictures.design_greys import blend, choose_greys
from captchad.training.pictures.design_parts import bend_gently, draw_curve, draw_line, write_cover
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.planes import Numbers, random_plane, to_image, to_numbers


def draw_pixels(text: str, source: random.Random) -> Numbers:
    """Letters of a few large pixels, or tiny ones, with points between."""
    rows, factor = source.randint(9, 14), source.choice((2, 2, 3, 4, 5))
    height, greys = round(rows * factor * source.uniform(1.2, 1.6)), choose_greys(source)
    cover = write_cover(text, source, height, size_pixels=rows * factor, bitmap_rows=rows, pose=Pose(), size_spread=0)
    points = random_plane(cover.shape, source) < source.choice((0, 0.02, 0.05))
    return blend(np.maximum(cover, points), greys)


def draw_on_speckle(text: str, source: random.Random) -> Numbers:
    """Small letters on a ground of random greys."""
    height, greys = source.randint(30, 60), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=source.choice((0, 1)))
    grain = random_plane(cover.shape, source) ** source.choice((1, 2, 4)) * source.uniform(0.3, 0.55)
    return blend(np.maximum(cover, grain), greys)


def draw_discs(text: str, source: random.Random) -> Numbers:
    """Letters made of discs, a line of discs across, discs strewn about, the whole waved."""
    rows, factor = source.randint(9, 11), source.randint(4, 7)
    height, greys = round(rows * factor * source.uniform(1.3, 1.6)), choose_greys(source)
    cover = write_cover(
        text, source, height, size_pixels=rows * factor, bitmap_rows=rows, is_dotted=True, pose=Pose(), size_spread=0
    )
    image = to_image(cover * 255)
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(0, 24)):
        across, down, size = source.randrange(image.width), source.randrange(height), factor * source.uniform(0.3, 0.9)
        draw.ellipse((across, down, across + size, down + size), 255)
    if source.random() < 0.7:
        draw_curve(draw, image.size, 255, max(1, factor // 2), source)
    return blend(bend_gently(to_numbers(image) / 255, 0, source), greys)


def draw_boxes(text: str, source: random.Random) -> Numbers:
    """Every letter on a box of its own grey."""
    height = source.randint(30, 80)
    parts = []
    for character in text:
        greys = choose_greys(source)
        cover = write_cover(character, source, height)
        spare = max(0, cover.shape[1] - round(height * source.uniform(0.9, 1.1))) // 2
        filled = np.flatnonzero(cover.max(0))
        spare = min(spare, int(filled[0]), cover.shape[1] - 1 - int(filled[-1])) if filled.size else spare
        parts.append(blend(cover[:, spare : cover.shape[1] - spare], greys))
    picture = np.concatenate(parts, 1)
    return to_numbers(to_image(picture).resize((min(300, picture.shape[1]), height)))


def draw_small(text: str, source: random.Random) -> Numbers:
    """A small picture of letters in different greys, a few thin lines and points, perhaps a frame."""
    height = source.randint(22, 40)
    ground = source.uniform(215, 255)
    tones = tuple(source.uniform(0.55, 1) for _ in text)
    cover = write_cover(text, source, height, tones=tones, drift=0.05)
    image = to_image(ground * (1 - cover * source.uniform(0.7, 1)))
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(0, 5)):
        draw_line(draw, image.size, round(source.uniform(60, 210)), 1, source)
    for _ in range(source.choice((0, 20, 60))):
        draw.point((source.randrange(image.width), source.randrange(height)), source.randint(40, 220))
    if source.random() < 0.3:
        draw.rectangle((0, 0, image.width - 1, height - 1), None, source.randint(0, 160))
    return to_numbers(image)


def draw_inverted_circles(text: str, source: random.Random) -> Numbers:
    """Letters that large discs turn into their negative."""
    height = source.randint(40, 100)
    cover = write_cover(text, source, height, stroke_pixels=1)
    image = Image.new("L", (cover.shape[1], height), 0)
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(1, 5)):
        across, down, size = source.randrange(image.width), source.randrange(height), height * source.uniform(0.2, 0.5)
        draw.ellipse((across - size, down - size, across + size, down + size), 255)
    return blend(np.abs(cover - to_numbers(image) / 255), choose_greys(source))


def draw_halftone(text: str, source: random.Random) -> Numbers:
    """Letters printed as a screen of dots, large in the letters and small beside them."""
    height, greys = source.randint(60, 110), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=1)
    soft = soften(cover, 1)
    down, across = np.indices(cover.shape)
    length = source.uniform(3, 5)
    screen = (np.cos(across * math.tau / length) + np.cos(down * math.tau / length)) / 4 + 0.5
    return blend((soft * 0.8 + 0.08 > screen).astype(np.float32), greys)


def draw_dense_dots(text: str, source: random.Random) -> Numbers:
    """Letters that are only more thickly strewn with dots than what is around them."""
    height, greys = source.randint(50, 100), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=2)
    share = source.uniform(0.02, 0.12) + cover * source.uniform(0.5, 0.8)
    return blend((random_plane(cover.shape, source) < share).astype(np.float32), greys)


def draw_gradient_letters(text: str, source: random.Random) -> Numbers:
    """Letters that fade from dark to middling."""
    height, greys = source.randint(35, 100), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=source.choice((0, 1)))
    fade = np.linspace(1, source.uniform(0.4, 0.7), height, dtype=np.float32)[:, None]
    picture = blend(cover * (fade if source.random() < 0.5 else fade[::-1]), greys)
    return bend_gently(picture, greys.ground, source) if source.random() < 0.5 else picture


def draw_relief(text: str, source: random.Random) -> Numbers:
    """Level lines that rise over the letters, as a surface seen from the side."""
    height, greys = source.randint(80, 120), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=2, drift=0, gap=0.15, pose=Pose())
    soft = soften(cover, 0.8)
    step = source.randint(4, 5)
    image = Image.new("L", (cover.shape[1], height), 0)
    draw = ImageDraw.Draw(image)
    for top in range(2, height, step):
        points = [(across, top - 0.75 * step * float(soft[top, across])) for across in range(cover.shape[1])]
        draw.line(points, 255)
    return blend(np.maximum(to_numbers(image) / 255, soft * 0.3), greys)


def draw_dot_plate(text: str, source: random.Random) -> Numbers:
    """Discs of all sizes side by side, those in the letters darker than those around."""
    height, greys = source.randint(70, 110), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=1, pose=Pose(turn_degrees=8), gap=0.15, drift=0)
    image = Image.new("L", (cover.shape[1], height), 0)
    draw, step = ImageDraw.Draw(image), height / source.uniform(22, 30)
    spread = source.uniform(0.1, 0.3)
    for down in np.arange(0, height, step).tolist():
        for across in np.arange(down // step % 2 * step / 2, image.width, step).tolist():
            size = step * source.uniform(0.35, 0.6)
            left, top = across + source.uniform(-1, 1) * step * 0.25, down + source.uniform(-1, 1) * step * 0.25
            inside = cover[min(height - 1, max(0, round(top))), min(image.width - 1, max(0, round(left)))]
            tone = 0.25 + 0.6 * float(inside) + source.uniform(-spread, spread) / 2
            draw.ellipse((left - size, top - size, left + size, top + size), round(255 * min(max(tone, 0), 1)))
    return blend(to_numbers(image) / 255, greys)
