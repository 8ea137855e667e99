"""Designs of commercial kinds whose letters or grounds are a pattern: chess, bullets, stripes, studs, stitches."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_bends import bend_written, wave_across, wave_down
from captchad.training.pictures.design_bold import write_bold
from captchad.training.pictures.design_covers import find_edges, grow, soften
from captchad.training.pictures.design_greys import Greys, blend, choose_greys, mix_grey, mix_greys
from captchad.training.pictures.design_marks import strew_letters
from captchad.training.pictures.design_parts import Design
from captchad.training.pictures.design_rows import Row, choose_size, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.planes import Numbers, random_plane, seed_numbers, to_image, to_numbers


def draw_chess(text: str, source: random.Random) -> Numbers:
    """Letters that turn the fields of a chess board into their negative, over a dim share of the board."""
    cover = write_bold(text, source, (56, 90), serif_chance=0.1, size=1.05).cover
    down, across = np.indices(cover.shape)
    step = cover.shape[0] / source.uniform(3, 5)
    board = (down // step + across // step) % 2
    return blend(np.abs(cover - board * source.uniform(0.25, 0.65)), choose_greys(source))


def draw_bullets(text: str, source: random.Random) -> Numbers:
    """Rows of discs, whose greys are those of the letters inside and of the ground outside."""
    cover = write_bold(text, source, (60, 90)).cover
    down, across = np.indices(cover.shape)
    step = source.randint(4, 6)
    near = np.hypot(down % step - (step - 1) / 2, across % step - (step - 1) / 2) < step * 0.45
    return blend(np.where(near, 0.15 + 0.85 * cover, 0.45 * cover), choose_greys(source))


def draw_halo(text: str, source: random.Random) -> Numbers:
    """Letters of the ground's grey, seen by what glows around them."""
    cover = write_bold(text, source, gap=0.2).cover
    glow = np.minimum(1, soften(cover, cover.shape[0] / source.uniform(15, 28)) * 1.8)
    return blend(glow * (1 - cover), choose_greys(source))


def draw_neon(text: str, source: random.Random) -> Numbers:
    """Bright thin outlines that glow on a dark plane."""
    cover = write_bold(text, source, gap=0.18).cover
    edge = find_edges(cover)
    glow = soften(edge, source.uniform(1.5, 3)) * source.uniform(0.5, 1)
    dark, light = mix_grey(source, 0, 60), mix_grey(source, 170, 255)
    return blend(np.maximum(edge, glow), Greys(dark, light))


def draw_studs(text: str, source: random.Random) -> Numbers:
    """A wall of small bricks with a stud on each, dark where a letter is."""
    cover = write_bold(text, source, (70, 100), serif_chance=0, size=1.1, gap=0.14).cover
    step = 3
    small = to_image(cover * 255).resize((cover.shape[1] // step, cover.shape[0] // step), Image.Resampling.BOX)
    bricks = np.repeat(np.repeat((to_numbers(small) > 125).astype(np.float32), step, 0), step, 1)
    down, across = np.indices(bricks.shape)
    stud = ((down % step) + (across % step) < step * 0.6) * 0.15
    seam = ((down % step == step - 1) | (across % step == step - 1)) * 0.2
    return blend(np.clip(bricks * 0.85 + seam - stud * bricks, 0, 1), choose_greys(source))


def draw_striped(text: str, source: random.Random) -> Numbers:
    """Letters of stripes one way on stripes the other way."""
    cover = write_bold(text, source, (60, 90)).cover
    down, across = np.indices(cover.shape)
    step = source.choice((3, 4, 5))
    inside, outside = source.choice(((down, across), (across, down), (down + across, down - across)))
    letters = (inside % step < step * 0.7).astype(np.float32)
    ground = (outside % step < step * 0.35) * np.float32(source.uniform(0.15, 0.5))
    return blend(np.where(cover > 0.5, letters, ground), choose_greys(source))


def draw_chipped(text: str, source: random.Random) -> Numbers:
    """Letters off which chips have come, the chips lying about."""
    cover = write_bold(text, source, serif_chance=0.1).cover
    clouds = soften(random_plane(cover.shape, source), 1.2)
    bound = float(np.quantile(clouds, source.uniform(0.06, 0.18)))
    crumbs = (clouds > float(np.quantile(clouds, 1 - source.uniform(0.01, 0.06)))) * (1 - cover)
    return blend(np.where(clouds < bound, 0, cover) + crumbs * 0.7, choose_greys(source))


def draw_corroded(text: str, source: random.Random) -> Numbers:
    """Letters eaten at their edges, on a rusty plane."""
    cover = write_bold(text, source, (50, 90)).cover
    numbers = seed_numbers(source)
    grain = soften(random_plane(cover.shape, source), 0.7)
    eaten = soften(cover, 1.4) + (grain - 0.5) * source.uniform(1, 2) > 0.5
    rust = numbers.random(cover.shape, dtype=np.float32) * source.uniform(0.05, 0.3)
    return blend(np.where(eaten, 1, rust), choose_greys(source))


def draw_stitched(text: str, source: random.Random) -> Numbers:
    """Outlines sewn with a broken thread; pale inside."""
    cover = write_bold(text, source, (60, 90), gap=0.16).cover
    down, across = np.indices(cover.shape)
    stitch = ((down + across) % 6 < 4) | ((down - across) % 6 < 3)
    thread = find_edges(cover) * stitch
    return blend(np.maximum(thread, cover * source.choice((0, 0.15, 0.3))), choose_greys(source))


def draw_ridges(text: str, source: random.Random) -> Numbers:
    """Letters on the ridges of a finger's print."""
    written = write_bold(text, source, (50, 90))
    height, width = written.cover.shape
    down, across = np.indices((height, width))
    centre = (height * source.uniform(0.2, 0.8), width * source.uniform(0.2, 0.8))
    distance = np.hypot((down - centre[0]) * source.uniform(0.8, 1.6), across - centre[1])
    bent = distance + 3 * np.sin(across / source.uniform(9, 20)) + 3 * np.sin(down / source.uniform(6, 15))
    ridges = np.sin(bent * (math.tau / source.uniform(4.5, 8))) > 0.2
    return blend(np.maximum(written.cover, ridges * source.uniform(0.2, 0.45)), choose_greys(source))


def draw_radar(text: str, source: random.Random) -> Numbers:
    """Rings around a point and a sweep of light, letters before them."""
    cover = write_bold(text, source).cover
    height, width = cover.shape
    down, across = np.indices(cover.shape)
    south, east = down - height * source.uniform(0.2, 0.8), across - width * source.uniform(0.2, 0.8)
    rings = np.hypot(south, east) % source.randint(6, 14) < source.choice((1, 2))
    sweep = (np.arctan2(south, east) + source.uniform(0, math.tau)) % math.tau / math.tau
    pattern = np.maximum(rings * source.uniform(0.3, 0.65), sweep * source.uniform(0, 0.5))
    return blend(np.maximum(cover, pattern), choose_greys(source))


def draw_wave_field(text: str, source: random.Random) -> Numbers:
    """Dense waves that are moved by half a wave wherever a letter is, and darker there."""
    cover = write_bold(text, source, (60, 95)).cover
    down, across = np.indices(cover.shape)
    bent = down + 3 * np.sin(across * (math.tau / source.uniform(20, 60)))
    step = source.uniform(4, 6)
    waves = np.sin((bent / step + cover * 0.5) * math.tau) > 0.1
    return blend(np.where(waves, 0.3 + 0.7 * cover, 0.35 * cover), choose_greys(source))


def draw_mass(text: str, source: random.Random) -> Numbers:
    """Large letters before a crowd of small pale ones."""
    written = write_bold(text, source)
    greys = choose_greys(source)
    image = Image.new("L", written.cover.shape[::-1], round(greys.ground))
    crowd = tuple(greys.ground + greys.contrast * share for share in (0.2, 0.3, 0.4))
    strew_letters(image, crowd, source.randint(30, 90), max(9, image.height // 4), source)
    ground = to_numbers(image)
    return np.asarray(ground + written.cover * (greys.ink - ground), dtype=np.float32)


def draw_collage(text: str, source: random.Random) -> Numbers:
    """Every letter on a scrap of paper of its own, turned, the scraps over each other's edges."""
    height = source.randint(46, 80)
    ground = mix_grey(source, 120, 255)
    scrap = round(height * 0.8)
    advance = round(scrap * source.uniform(0.85, 1.0))
    image = Image.new("L", (min(400, advance * len(text) + height // 3), height), round(ground))
    for number, character in enumerate(text):
        light, dark = mix_grey(source, 190, 255), mix_grey(source, 0, 70)
        paper, ink = source.choice(((light, dark), (light, dark), (dark, light)))
        fonts = choose_kind(source, character, "serif", "bold", "funny")
        letter = write_row(character, (scrap, scrap), Row(fonts, (ink,), size=0.95), source).over(paper)
        angle = source.uniform(-12, 12)
        mask = Image.new("L", (scrap, scrap), 255).rotate(angle, Image.Resampling.BICUBIC)
        turned = to_image(letter).rotate(angle, Image.Resampling.BICUBIC, fillcolor=round(paper))
        image.paste(turned, (height // 10 + number * advance, source.randint(0, height - scrap)), mask)
    return to_numbers(image)


def draw_graffiti(text: str, source: random.Random) -> Numbers:
    """Rounded letters with a thick dark rim and a light inside, on a brick wall."""
    size = choose_size(text, source, (160, 250), (55, 90))
    row = Row(choose_kind(source, text, "funny", "sans"), size=0.85, is_heavy=True, gap=0.12, drift=0.1)
    written = bend_written(write_row(text, size, row, source), source, wave_down(0.06, 2), wave_across(0.03, 1))
    wall = Image.new("L", size, round(mix_grey(source, 90, 190)))
    draw, seam, course = ImageDraw.Draw(wall), round(mix_grey(source, 60, 230)), source.randint(8, 14)
    for number, top in enumerate(range(0, size[1], course)):
        draw.line([(0, top), (size[0], top)], seam)
        for left in range(number % 2 * course, size[0], course * 2):
            draw.line([(left, top), (left, top + course)], seam)
    rim = grow(written.cover, 5)
    picture = to_numbers(wall) * (1 - rim)
    return picture + written.cover * (mix_grey(source, 200, 255) - picture)


def draw_overlapping(text: str, source: random.Random) -> Numbers:
    """Letters of different greys that lie over each other's edges, each with a thin pale rim."""
    size = choose_size(text, source, (130, 220), (50, 80))
    fonts = choose_kind(source, text, "bold", "funny", "serif")
    greys = mix_greys(source, 0, 170, len(text))
    row = Row(fonts, greys, size=0.95, is_heavy=True, gap=source.uniform(-0.1, -0.03), drift=0.08)
    written = write_row(text, size, row, source)
    step = np.abs(np.diff(written.grey, axis=1, prepend=written.grey[:, :1])) > 6
    return np.asarray(np.where(step & (written.cover > 0.5), 255, written.over(255.0)), dtype=np.float32)


DESIGNS: dict[Design, int] = {
    draw_chess: 2,
    draw_bullets: 1,
    draw_halo: 2,
    draw_neon: 1,
    draw_studs: 1,
    draw_striped: 2,
    draw_chipped: 1,
    draw_corroded: 1,
    draw_stitched: 1,
    draw_ridges: 1,
    draw_radar: 1,
    draw_wave_field: 1,
    draw_mass: 1,
    draw_collage: 1,
    draw_graffiti: 1,
    draw_overlapping: 1,
}
"""The designs of this kind, each with its weight."""
