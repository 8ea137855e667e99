"""Designs whose letters are drawn as strokes of one grey, under lines and curves."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from captchad.training.pictures.design_covers import soften
from captchad.training.pictures.design_greys import blend, choose_greys
from captchad.training.pictures.design_parts import bend_gently, draw_curve, draw_line, write_cover
from captchad.training.pictures.glyphs import Pose, hollow
from captchad.training.pictures.planes import Numbers, to_image, to_numbers


def draw_outlines(text: str, source: random.Random) -> Numbers:
    """Thin outlines that run into each other, and a thin wave through all of them."""
    height, greys = source.randint(50, 110), choose_greys(source)
    cover = write_cover(text, source, height, cuts=(hollow,), gap=source.uniform(-0.08, 0.06))
    image = to_image(blend(bend_gently(cover, 0, source), greys))
    for _ in range(source.randint(0, 2)):
        draw_curve(ImageDraw.Draw(image), image.size, round(greys.ink), 1, source)
    return to_numbers(image)


def draw_thick_curve(text: str, source: random.Random) -> Numbers:
    """Large warped letters, a thick curve of their grey, bubbles of it, all smoothed."""
    height, greys = source.randint(50, 100), choose_greys(source)
    pose = Pose(turn_degrees=source.choice((10, 20, 28)), slant=0.2, pull=source.uniform(0.1, 0.22))
    cover = write_cover(text, source, height, pose=pose, gap=source.uniform(-0.1, 0.05), stroke_pixels=1)
    image = to_image(blend(cover, greys))
    draw = ImageDraw.Draw(image)
    draw_curve(draw, image.size, round(greys.ink), max(2, height // source.randint(15, 24)), source)
    for _ in range(source.choice((0, 20, 50))):
        across, down = source.randrange(image.width), source.randrange(image.height)
        draw.ellipse((across, down, across + 2, down + 2), round(source.choice((greys.ground, greys.ink))))
    return to_numbers(image.filter(ImageFilter.SMOOTH))


def draw_curved_gradient(text: str, source: random.Random) -> Numbers:
    """Bold black letters on a gradient, a curve of varying width, the whole rippled."""
    height = source.randint(40, 80)
    cover = write_cover(text, source, height, stroke_pixels=1, pose=Pose())
    across = np.linspace(source.uniform(150, 200), 255, cover.shape[1], dtype=np.float32)[None, :]
    ground = np.repeat(across if source.random() < 0.5 else across[:, ::-1], height, 0)
    image = to_image(ground * (1 - cover))
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(0, 2)):
        draw_curve(draw, image.size, 0, source.randint(1, max(1, height // 20)), source)
    if source.random() < 0.4:
        for place in range(0, image.width, max(5, image.width // source.randint(6, 16))):
            draw.line([(place, 0), (place, height)], source.randint(150, 220))
    return bend_gently(to_numbers(image), 255, source)


def draw_many_lines(text: str, source: random.Random) -> Numbers:
    """Letters under many lines of their own grey, straight or curved."""
    height, greys = source.randint(40, 100), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=1)
    image = to_image(blend(bend_gently(cover, 0, source, 1.0), greys))
    draw, is_curved = ImageDraw.Draw(image), source.random() < 0.4
    thickness = 1 if height < 60 else source.choice((1, 1, 2))
    for _ in range(source.randint(3, 6 if thickness > 1 else 11)):
        kind = draw_curve if is_curved else draw_line
        kind(draw, image.size, round(greys.ink), thickness, source)
    return to_numbers(image)


def draw_struck_through(text: str, source: random.Random) -> Numbers:
    """Letters struck through by long lines, in ink or cut out of them."""
    height, greys = source.randint(30, 90), choose_greys(source)
    image = to_image(blend(write_cover(text, source, height), greys))
    draw = ImageDraw.Draw(image)
    grey = round(source.choice((greys.ink, greys.ground)))
    for _ in range(source.randint(1, 3)):
        start, end = (height * source.uniform(0.25, 0.75) for _ in range(2))
        draw.line([(0, start), (image.width, end)], grey, source.randint(1, max(1, height // 25)))
    return to_numbers(image)


def draw_connected(text: str, source: random.Random) -> Numbers:
    """Heavy letters pushed into each other and waved together."""
    height, greys = source.randint(45, 100), choose_greys(source)
    cover = write_cover(text, source, height, gap=source.uniform(-0.14, -0.04), gap_spread=0.02, size_spread=0)
    return blend(bend_gently(cover, 0, source, 1.0), greys)


def draw_crosshatch(text: str, source: random.Random) -> Numbers:
    """Letters on slanting lines that cross."""
    height, greys = source.randint(30, 90), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=source.choice((0, 1)))
    down, across = np.indices(cover.shape)
    step, slope = source.randint(5, 14), source.uniform(0.4, 1.6)
    hatch = ((across + slope * down) % step < 1) | ((across - slope * down) % step < 1)
    return np.maximum(cover, hatch * np.float32(source.uniform(0.2, 0.6))) * greys.contrast + greys.ground


def draw_stencil(text: str, source: random.Random) -> Numbers:
    """Letters with slits, as a stencil leaves them."""
    height, greys = source.randint(40, 100), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=1)
    down, across = np.indices(cover.shape)
    step, angle = height * source.uniform(0.3, 0.6), source.uniform(0, math.pi)
    slit = (across * math.cos(angle) + down * math.sin(angle)) % step < max(1.0, height * 0.035)
    return blend(np.where(slit, 0, cover), greys)


def draw_extruded(text: str, source: random.Random) -> Numbers:
    """Letters with a body behind them."""
    height, greys = source.randint(45, 110), choose_greys(source)
    face = Image.fromarray(write_cover(text, source, height))
    body, (east, south) = np.asarray(face), (source.choice((-1, 1)), source.choice((-1, 1)))
    for depth in range(1, max(3, height // source.randint(12, 20))):
        body = np.maximum(body, np.roll(np.asarray(face), (south * depth, east * depth), (0, 1)))
    strength = source.choice((0.35, 0.5, 1.0))
    shown = np.asarray(face)
    return blend(body * strength * (1 - shown) + shown * (0.0 if strength == 1 else 1.0), greys)


def draw_embossed(text: str, source: random.Random) -> Numbers:
    """Letters of nearly the ground's grey, light along one side and dark along the other."""
    height = source.randint(45, 100)
    cover = soften(write_cover(text, source, height, stroke_pixels=1, gap=0.12), source.uniform(0.5, 1.2))
    reach = max(1, height // source.randint(24, 40))
    shift = (source.choice((-1, 1)) * reach, source.choice((-1, 1)) * reach)
    edge = np.roll(cover, shift, (0, 1)) - cover
    ground = source.uniform(110, 170)
    return np.asarray(ground + edge * source.uniform(90, 130) + cover * source.uniform(-30, 30), dtype=np.float32)


def draw_smeared(text: str, source: random.Random) -> Numbers:
    """Letters that moved while they were taken, along the line or aslant."""
    height, greys = source.randint(45, 90), choose_greys(source)
    cover = write_cover(text, source, height, stroke_pixels=1, gap=0.16)
    slope, steps = source.choice((0, 0.5, -0.5, 1)), height // source.randint(9, 14)
    moved = [np.roll(cover, (round(slope * step), step), (0, 1)) for step in range(steps + 1)]
    return blend(np.minimum(1, np.mean(moved, 0) * source.uniform(1, 1.4)), greys)
