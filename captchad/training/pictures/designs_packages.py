"""Designs after what forums, shops and frameworks bring along: spirals, balls, two words, nets, hatching, bubbles."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.design_bends import (
    arch,
    bend_picture,
    bend_written,
    pull,
    slant,
    wave_across,
    wave_down,
)
from captchad.training.pictures.design_bold import write_bold
from captchad.training.pictures.design_covers import roughen, soften
from captchad.training.pictures.design_greys import blend, choose_greys, mix_grey, mix_greys
from captchad.training.pictures.design_marks import (
    cross_curve,
    cross_sine,
    frame,
    strew_dots,
    strew_lines,
    strew_rings,
)
from captchad.training.pictures.design_parts import Design, write_cover
from captchad.training.pictures.design_rows import Row, choose_size, lay_row, write_row
from captchad.training.pictures.font_kinds import choose_kind
from captchad.training.pictures.glyphs import Pose
from captchad.training.pictures.grounds import GroundPlan, draw_ground
from captchad.training.pictures.planes import Numbers, blank, random_plane, to_image, to_numbers

_SPIRAL_POINTS = 240
_TILE_PIXELS = 8
_TWO_WORDS_FROM = 6


def draw_on_spiral(text: str, source: random.Random) -> Numbers:
    """Small letters at heights of their own on the turns of a pale spiral, in a frame."""
    size = choose_size(text, source, (120, 170), (30, 46), 6)
    image = blank(size, source.choice((255.0, mix_grey(source, 220, 255))))
    _draw_spiral(image, mix_grey(source, 150, 230), source)
    row = Row(
        choose_kind(source, text, "bold", "sans", "built in"),
        (mix_grey(source, 0, 150),),
        size=source.uniform(0.55, 0.75),
        pose=Pose(turn_degrees=source.choice((0, 0, 12))),
        gap=source.uniform(0.1, 0.4),
        drift=0.12,
    )
    return frame(to_numbers(lay_row(text, row, image, source)), mix_grey(source, 60, 220))


def _draw_spiral(image: Image.Image, grey: float, source: random.Random) -> None:
    angles = np.linspace(0, math.tau * source.uniform(8, 22), _SPIRAL_POINTS)
    reach = angles / angles[-1] * image.width * source.uniform(0.8, 1.3)
    across = source.uniform(0, image.width) + reach * np.cos(angles)
    down = source.uniform(0, image.height) + reach * np.sin(angles)
    ImageDraw.Draw(image).line(list(zip(across.tolist(), down.tolist(), strict=True)), round(grey))


def draw_on_balls(text: str, source: random.Random) -> Numbers:
    """Dark letters before large discs of strong colours, in a dark frame."""
    size = choose_size(text, source, (120, 180), (30, 46), 6)
    image = blank(size, 255)
    strew_dots(image, mix_greys(source, 110, 245, 4), source.randint(3, 12), source, size[1] * source.uniform(0.4, 0.9))
    grey = source.choice((0.0, mix_grey(source, 0, 50)))
    row = Row(choose_kind(source, text, "bold", "built in", "sans"), (grey,), size=source.uniform(0.6, 0.8), gap=0.15)
    return frame(to_numbers(lay_row(text, row, image, source)), 0)


def draw_two_words(text: str, source: random.Random) -> Numbers:
    """A text as two printed words side by side, roughened and bent, with a line or blots; or one word."""
    split = len(text) // 2 + source.randint(-1, 1) if len(text) >= _TWO_WORDS_FROM else len(text)
    shown = f"{text[:split]} {text[split:]}".strip()
    size = choose_size(shown, source, (170, 240), (48, 60), 8)
    row = Row(choose_kind(source, text, "serif"), size=source.uniform(0.7, 0.9), gap=source.uniform(-0.02, 0.03))
    bends = (wave_down(0.09, source.uniform(1.5, 4)), slant(0.3), pull(0.05, 0.8))
    cover = roughen(bend_written(write_row(shown, size, row, source), source, *bends).cover, source)
    image = to_image(255 - 255 * cover)
    if source.random() < 0.5:
        cross_sine(image, 0, source.choice((1, 2, 2)), source)
    elif source.random() < 0.4:
        strew_dots(image, (0, 255), source.randint(3, 12), source, size[1] * 0.06)
    return to_numbers(image)


def draw_mesh_hill(text: str, source: random.Random) -> Numbers:
    """A net of lines seen aslant, raised where a letter is."""
    cover = write_bold(text, source, (84, 110), serif_chance=0, size=1.05, gap=0.2).cover
    soft = soften(cover, 1)
    height, width = soft.shape
    step, lean = source.randint(4, 5), source.uniform(-0.5, 0.5)
    raised = soft * step * source.uniform(0.7, 1.2)
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    for top in range(1, height, step):
        draw.line([(across, top - float(raised[top, across])) for across in range(0, width, 2)], 255)
    for left in range(-height, width + height, step):
        places = [(left + lean * down, down) for down in range(0, height, 2)]
        inside = [(across, down) for across, down in places if 0 <= across < width]
        if len(inside) > 1:
            draw.line([(across, down - float(raised[down, int(across)])) for across, down in inside], 160)
    return blend(
        np.maximum(to_numbers(image) / 255 * source.uniform(0.4, 0.8), soft * source.uniform(0.4, 0.6)),
        choose_greys(source),
    )


def _hatch(shape: tuple[int, ...], share: float, source: random.Random) -> Numbers:
    """Fill a plane with one small tile of points, as a brush of a drawing library does."""
    tile = random_plane((_TILE_PIXELS, _TILE_PIXELS), source) < share
    times = [-(-extent // _TILE_PIXELS) for extent in shape]
    return np.tile(tile, times)[: shape[0], : shape[1]].astype(np.float32)


def draw_hatch_brushed(text: str, source: random.Random) -> Numbers:
    """Letters painted with one hatching on another, pulled at their corners, specks over all."""
    size = choose_size(text, source, (160, 220), (46, 60), 6)
    ground = 255 - _hatch(size[::-1], source.uniform(0.1, 0.4), source) * source.uniform(20, 70)
    row = Row(choose_kind(source, text, "bold", "serif"), size=source.uniform(0.8, 1), is_heavy=True, gap=0.02)
    bends = (pull(0.08, 1.0), slant(0.3))
    cover = bend_written(write_row(text, size, row, source), source, *bends).cover
    ink = mix_grey(source, 0, 110) + (1 - _hatch(size[::-1], source.uniform(0.6, 1), source)) * source.uniform(30, 90)
    picture = ground + cover * (ink - ground)
    specks = random_plane(picture.shape, source) < source.choice((0, 0.01, 0.03))
    return np.asarray(np.where(specks, mix_grey(source, 0, 120), picture), dtype=np.float32)


def draw_marked_forum(text: str, source: random.Random) -> Numbers:
    """Letters each of its own font, size and turn, with a shadow, on pale lines, rings, points or squares."""
    size = choose_size(text, source, (160, 220), (50, 65), 5)
    image, greys = blank(size, mix_grey(source, 225, 255)), mix_greys(source, 130, 225, 6)
    for mark in source.sample(range(4), source.randint(1, 2)):
        if mark == 0:
            strew_lines(image, greys, source.randint(10, 30), source)
        elif mark == 1:
            strew_rings(image, greys, source.randint(10, 30), size[1] * 0.25, source)
        elif mark == 2:
            strew_dots(image, greys, source.randint(100, 500), source)
        else:
            _strew_squares(image, greys, source.randint(20, 60), source)
    row = Row(
        choose_kind(source, text, "bold", "serif", "funny", "mono", count=4),
        mix_greys(source, 0, 110, source.choice((1, len(text)))),
        size=source.uniform(0.5, 0.65),
        size_spread=0.2,
        pose=Pose(turn_degrees=source.choice((15, 30))),
        is_slotted=True,
        drift=0.12,
    )
    written = write_row(text, size, row, source)
    shadow = np.roll(written.cover, (source.choice((1, 2)),) * 2, (0, 1)) * source.choice((0, 50, 100))
    return written.over(to_numbers(image) - shadow)


def _strew_squares(image: Image.Image, greys: tuple[float, ...], count: int, source: random.Random) -> None:
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        left, top, reach = source.randrange(image.width), source.randrange(image.height), source.randint(3, 14)
        draw.rectangle((left, top, left + reach, top + reach), None, round(source.choice(greys)))


def draw_fogged(text: str, source: random.Random) -> Numbers:
    """Soft letters not much darker than the clouds and the grain they stand in, perhaps a soft curve through them."""
    size = choose_size(text, source, (130, 200), (46, 70), 5)
    ground = draw_ground(GroundPlan(size[1], size[0], source.uniform(170, 220), source.uniform(5, 25)), source)
    pose = Pose(turn_degrees=source.choice((5, 20)), slant=0.2)
    row = Row(choose_kind(source, text, "bold", "serif"), size=0.75, pose=pose, gap=source.uniform(-0.02, 0.15))
    image = to_image(write_row(text, size, row, source).cover * 255)
    for _ in range(source.randint(0, 2)):
        cross_curve(image, 200, source.choice((1, 2)), source)
    bends = (wave_down(0.05, source.uniform(1, 2)), wave_across(0.03, 1.2))
    soft = soften(bend_picture(to_numbers(image) / 255, 0, source, *bends), source.uniform(0.6, 1.6))
    grain = (random_plane(soft.shape, source) - 0.5) * source.uniform(0, 70)
    return np.asarray(ground - soft * source.uniform(80, 140) + grain, dtype=np.float32)


def draw_crossed_out(text: str, source: random.Random) -> Numbers:
    """Heavy letters that lie on each other and turn each other into the ground there, perhaps curves that do so too."""
    height = source.randint(45, 90)
    # Turned letters stand in boxes larger than they are, which would lie on each other in their stead.
    pose, gap = Pose(turn_degrees=source.choice((0, 6))), source.uniform(-0.22, -0.08)
    cover = write_cover(text, source, height, pose=pose, gap=gap, is_crossed_out=True, stroke_pixels=1, drift=0.12)
    image = Image.new("L", (cover.shape[1], height), 0)
    for _ in range(source.choice((0, 0, 1, 2))):
        cross_sine(image, 255, max(2, height // 20), source)
    return blend(np.abs(cover - to_numbers(image) / 255), choose_greys(source))


def draw_along_arch(text: str, source: random.Random) -> Numbers:
    """Letters that rise and fall along an arch, on white or on a fade; perhaps the arch itself as a thin line."""
    size = choose_size(text, source, (130, 200), (55, 90), 6)
    ground = np.linspace(source.uniform(180, 255), 255, size[0], dtype=np.float32)[None, :].repeat(size[1], 0)
    pose = Pose(turn_degrees=source.choice((0, 10)))
    fonts = choose_kind(source, text, "bold", "funny", "serif")
    row = Row(fonts, mix_greys(source, 0, 120, source.choice((1, 3))), size=0.5, pose=pose, gap=0.08)
    bends = (arch(source.choice((-1, 1)) * source.uniform(0.15, 0.3)), wave_across(0.02, 1.5))
    image = to_image(bend_written(write_row(text, size, row, source), source, *bends).over(ground))
    if source.random() < 0.4:
        cross_curve(image, mix_grey(source, 0, 160), 1, source)
    return to_numbers(image)


def draw_bubbles(text: str, source: random.Random) -> Numbers:
    """Every letter in a disc of its own grey, the discs over each other's edges, some turned negative."""
    height = source.randint(36, 64)
    reach = height * source.uniform(0.42, 0.48)
    advance = 2 * reach * source.uniform(0.82, 1.02)
    width = min(340, round(advance * (len(text) - 1) + 2 * reach + height * 0.2))
    advance = (width - 2 * reach - height * 0.2) / max(1, len(text) - 1)
    image = Image.new("L", (width, height), round(mix_grey(source, 180, 255)))
    side = round(reach * 1.5)
    for number, character in enumerate(text):
        across, down = height * 0.1 + reach + number * advance, height / 2 + source.uniform(-0.03, 0.03) * height
        light, dark = mix_grey(source, 190, 255), mix_grey(source, 0, 90)
        paper, ink = source.choice(((light, dark), (dark, light)))
        ImageDraw.Draw(image).ellipse((across - reach, down - reach, across + reach, down + reach), round(paper), 128)
        row = Row(choose_kind(source, character, "bold", "serif", "funny"), size=0.9, pose=Pose(turn_degrees=20))
        cover = to_image(write_row(character, (side, side), row, source).cover * 255)
        image.paste(round(ink), (round(across - side / 2), round(down - side / 2)), cover)
    return to_numbers(image)


DESIGNS: dict[Design, int] = {
    draw_on_spiral: 3,
    draw_on_balls: 2,
    draw_two_words: 3,
    draw_mesh_hill: 1,
    draw_hatch_brushed: 2,
    draw_marked_forum: 2,
    draw_fogged: 2,
    draw_crossed_out: 2,
    draw_along_arch: 1,
    draw_bubbles: 1,
}
"""The designs of this kind, each with its weight."""
