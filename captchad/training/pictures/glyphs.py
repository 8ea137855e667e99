"""Single characters as masks (0 nothing, 255 ink): their font, and what was done to their strokes."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from captchad.training.pictures.fonts import load_font
from captchad.training.pictures.planes import seed_numbers
from captchad.training.pictures.warps import begin_field, bend

_SIZE_STEP_PIXELS = 3


@dataclass(frozen=True, slots=True)
class Pose:
    """How far characters are turned, slanted, stretched and pulled at the corners; each one up to these values."""

    turn_degrees: float = 0.0
    slant: float = 0.0
    stretch: float = 0.0
    pull: float = 0.0


Cut = Callable[[Image.Image, random.Random], Image.Image]


def draw_glyph(path: Path, size_pixels: int, character: str, stroke_pixels: int = 0) -> Image.Image:
    """Draw a character as tall as the font's line, as wide as its ink."""
    font = load_font(path, max(8, size_pixels // _SIZE_STEP_PIXELS * _SIZE_STEP_PIXELS))
    ascent, descent = font.getmetrics()
    # Fonts with huge metrics would leave most of the line empty.
    line = (min(ascent, size_pixels), min(descent, size_pixels // 3))
    return _render(font, character, "L", line, stroke_pixels)


def draw_bitmap_glyph(path: Path, rows: int, character: str) -> Image.Image:
    """Draw a character in pixels that are set or not, few enough to see every one."""
    font = load_font(path, rows)
    return _render(font, character, "1", (round(rows * 0.8), round(rows * 0.25)))


def _render(
    font: ImageFont.FreeTypeFont, character: str, mode: str, line: tuple[int, int], stroke_pixels: int = 0
) -> Image.Image:
    core, (_, top) = font.getmask2(character, mode, anchor="ls", stroke_width=stroke_pixels, stroke_filled=True)
    width, height = core.size
    shape = Image.frombytes("L", (width, height), bytes(core))
    # Some fonts draw beyond their line.
    above, below = max(line[0], math.ceil(-top)), max(line[1], math.ceil(top + height))
    mask = Image.new("L", (max(1, width), max(1, above + below)), 0)
    mask.paste(shape, (0, round(above + top)))
    return mask


def magnify(mask: Image.Image, factor: int, is_dotted: bool) -> Image.Image:
    """Enlarge a bitmap character, its pixels squares or round dots."""
    large = mask.resize((mask.width * factor, mask.height * factor), Image.Resampling.NEAREST)
    if not is_dotted or factor < 3:
        return large
    row = np.abs(np.arange(factor) - (factor - 1) / 2)
    dot = ((row[:, None] ** 2 + row[None, :] ** 2) <= (factor / 2.2) ** 2).astype(np.uint8)
    return Image.fromarray(np.asarray(large) * np.tile(dot, (mask.height, mask.width)))


def pose_glyph(mask: Image.Image, pose: Pose, source: random.Random) -> Image.Image:
    """Turn, slant and stretch a character; the picture grows to hold it."""
    angle = math.radians(source.uniform(-pose.turn_degrees, pose.turn_degrees))
    slant = source.uniform(-pose.slant, pose.slant)
    wider, taller = (1 + source.uniform(-pose.stretch, pose.stretch) for _ in range(2))
    if angle or slant or pose.stretch:
        mask = _transform(mask, (math.cos(angle), math.sin(angle)), slant, (wider, taller))
    return _pull_corners(mask, pose.pull, source) if pose.pull else mask


def _transform(mask: Image.Image, turn: tuple[float, float], slant: float, scale: tuple[float, float]) -> Image.Image:
    cosine, sine = turn
    forward = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[scale[0], slant], [0, scale[1]]])
    corners = np.abs(forward) @ np.array([mask.width, mask.height])
    corners = np.maximum(corners, np.abs(forward @ np.array([mask.width, -mask.height])))
    width, height = (math.ceil(extent) + 2 for extent in corners)
    back = np.linalg.inv(forward)
    offset = np.array([mask.width / 2, mask.height / 2]) - back @ np.array([width / 2, height / 2])
    matrix = (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
    return mask.transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def _pull_corners(mask: Image.Image, pull: float, source: random.Random) -> Image.Image:
    width, height = mask.size
    x, y = width * pull, height * pull
    places = ((-x, -y), (-x, height + y), (width + x, height + y), (width + x, -y))
    corners = [
        place + source.uniform(-reach, reach) for corner in places for place, reach in zip(corner, (x, y), strict=True)
    ]
    return mask.transform(mask.size, Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)


def _pad(mask: Image.Image, pixels: int) -> Image.Image:
    padded = Image.new("L", (mask.width + 2 * pixels, mask.height + 2 * pixels), 0)
    padded.paste(mask, (pixels, pixels))
    return padded


def leave_whole(mask: Image.Image, _source: random.Random) -> Image.Image:
    """Leave a character as it is."""
    return mask


def hollow(mask: Image.Image, source: random.Random) -> Image.Image:
    """Leave a character's outline."""
    grown = _pad(mask, 2)
    core = grown
    if source.random() < 0.6:
        grown = grown.filter(ImageFilter.MaxFilter(3))
    else:
        core = core.filter(ImageFilter.MinFilter(3))
    return ImageChops.subtract(grown, core)


def _hollow_thick(mask: Image.Image, _source: random.Random) -> Image.Image:
    grown = _pad(mask, 3)
    return ImageChops.subtract(grown.filter(ImageFilter.MaxFilter(5)), grown)


def _thin(mask: Image.Image, _source: random.Random) -> Image.Image:
    thin = mask.filter(ImageFilter.MinFilter(3))
    # Hairlines would vanish.
    return thin if np.asarray(thin).mean() > 0.4 * np.asarray(mask).mean() else mask


def _thicken(mask: Image.Image, _source: random.Random) -> Image.Image:
    return _pad(mask, 1).filter(ImageFilter.MaxFilter(3))


def _dot(mask: Image.Image, source: random.Random) -> Image.Image:
    step = max(2, mask.height // source.randint(12, 22))
    down, across = np.indices((mask.height, mask.width))
    kept = (down % step < (step + 1) // 2) & (across % step < (step + 1) // 2)
    return Image.fromarray(np.where(kept, np.asarray(mask), 0).astype(np.uint8))


def _stripe(mask: Image.Image, source: random.Random) -> Image.Image:
    step = max(3, mask.height // source.randint(8, 18))
    down, across = np.indices((mask.height, mask.width))
    place = down + source.choice((0, 0, 1, -1)) * across
    return Image.fromarray(np.where(place % step < step * 0.62, np.asarray(mask), 0).astype(np.uint8))


def _speckle(mask: Image.Image, source: random.Random) -> Image.Image:
    numbers = seed_numbers(source)
    kept = numbers.random((mask.height, mask.width)) > source.uniform(0.1, 0.45)
    return Image.fromarray(np.where(kept, np.asarray(mask), 0).astype(np.uint8))


def _fray(mask: Image.Image, source: random.Random) -> Image.Image:
    numbers = seed_numbers(source)
    soft = np.asarray(_pad(mask, 2).filter(ImageFilter.GaussianBlur(mask.height / 30)), dtype=np.float32)
    noise = numbers.standard_normal(soft.shape, dtype=np.float32) * source.uniform(12, 40)
    return Image.fromarray(np.where(soft + noise > 115, 255, 0).astype(np.uint8))


def _double(mask: Image.Image, source: random.Random) -> Image.Image:
    padded = _pad(mask, 2)
    shift = source.choice(((2, 0), (0, 2), (2, 2), (3, 1)))
    return ImageChops.lighter(padded, ImageChops.offset(padded, *shift))


def _bead(mask: Image.Image, source: random.Random) -> Image.Image:
    """Make a row of dots of every stroke, as a needle or a plotter's pen does."""
    step = max(3, mask.height // source.randint(9, 16))
    radius = step * source.uniform(0.28, 0.42)
    ink = np.asarray(mask, dtype=np.float32) / 255
    beaded = Image.new("L", mask.size, 0)
    draw = ImageDraw.Draw(beaded)
    for top in range(0, mask.height, step):
        for left in range(0, mask.width, step):
            cell = ink[top : top + step, left : left + step]
            whole = float(cell.sum())
            if whole > 0.15 * step:
                down, across = np.indices(cell.shape)
                place = (left + float((cell * across).sum()) / whole, top + float((cell * down).sum()) / whole)
                draw.ellipse((place[0] - radius, place[1] - radius, place[0] + radius, place[1] + radius), 255)
    return beaded


def _wobble(mask: Image.Image, source: random.Random) -> Image.Image:
    """Perturb the outlines, as an unsteady hand does."""
    padded = np.asarray(_pad(mask, 3), dtype=np.float32)
    field, numbers = begin_field(padded.shape), seed_numbers(source)
    cells = (max(3, padded.shape[0] // source.randint(4, 9)), max(3, padded.shape[1] // source.randint(4, 9)))
    reach = mask.height * source.uniform(0.02, 0.06)
    pulls = []
    for _ in range(2):
        coarse = Image.fromarray(numbers.uniform(-reach, reach, cells).astype(np.float32))
        pulls.append(np.asarray(coarse.resize(padded.shape[::-1], Image.Resampling.BICUBIC)))
    field.across += pulls[0]
    field.down += pulls[1]
    [bent] = bend([padded], field, [0.0])
    return Image.fromarray(bent.clip(0, 255).astype(np.uint8))


CUTS: dict[Cut, int] = {
    hollow: 6,
    _hollow_thick: 2,
    _thin: 4,
    _thicken: 4,
    _dot: 2,
    _stripe: 2,
    _speckle: 2,
    _fray: 2,
    _bead: 2,
    _wobble: 3,
    _double: 1,
}
"""What may be done to strokes, each with its weight."""
