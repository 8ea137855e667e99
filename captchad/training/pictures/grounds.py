"""What lies behind the text: flat greys, gradients, textures, patterns and faint letters."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_letters, digits

import numpy as np
from PIL import Image, ImageDraw

from captchad.training.pictures.fonts import list_fonts, load_font
from captchad.training.pictures.planes import Numbers, seed_numbers


@dataclass(frozen=True, slots=True)
class GroundPlan:
    """A ground's size, its grey, and how far its patterns may go from it."""

    height: int
    width: int
    grey: float
    reach: float


Ground = Callable[[GroundPlan, random.Random], Numbers]


def draw_ground(plan: GroundPlan, source: random.Random) -> Numbers:
    """Draw a ground; its values may leave 0..255."""
    [kind] = source.choices(list(GROUNDS), list(GROUNDS.values()))
    pattern = kind(plan, source)
    return (plan.grey + plan.reach * pattern).astype(np.float32)


def _flat(plan: GroundPlan, _source: random.Random) -> Numbers:
    return np.zeros((plan.height, plan.width), dtype=np.float32)


def _grid_places(plan: GroundPlan) -> tuple[Numbers, Numbers]:
    return (
        np.arange(plan.height, dtype=np.float32)[:, None],
        np.arange(plan.width, dtype=np.float32)[None, :],
    )


def _gradient(plan: GroundPlan, source: random.Random) -> Numbers:
    down, across = _grid_places(plan)
    east, south = source.uniform(-2, 2), source.uniform(-2, 2)
    return east * (across / plan.width - 0.5) + south * (down / plan.height - 0.5)


def _glow(plan: GroundPlan, source: random.Random) -> Numbers:
    down, across = _grid_places(plan)
    east = (across - plan.width * source.uniform(0, 1)) / plan.height
    south = down / plan.height - source.uniform(0, 1)
    return source.choice((-1.0, 1.0)) * np.exp(-(east**2 + south**2))


def _grain(plan: GroundPlan, source: random.Random) -> Numbers:
    numbers = seed_numbers(source)
    coarse = source.choice((1, 1, 2, 3))
    shape = (-(-plan.height // coarse), -(-plan.width // coarse))
    noise = numbers.standard_normal(shape, dtype=np.float32)
    return np.repeat(np.repeat(noise, coarse, 0), coarse, 1)[: plan.height, : plan.width] * np.float32(0.5)


def _clouds(plan: GroundPlan, source: random.Random) -> Numbers:
    numbers = seed_numbers(source)
    cell = plan.height * source.uniform(0.1, 0.5)
    shape = (max(2, int(plan.height / cell)), max(2, int(plan.width / cell)))
    coarse = numbers.uniform(-1, 1, shape).astype(np.float32)
    how = source.choice((Image.Resampling.BICUBIC, Image.Resampling.BICUBIC, Image.Resampling.NEAREST))
    return np.asarray(Image.fromarray(coarse).resize((plan.width, plan.height), how))


def _stripes(plan: GroundPlan, source: random.Random) -> Numbers:
    down, across = _grid_places(plan)
    angle, length = source.uniform(0, math.pi), plan.height * source.uniform(0.06, 0.4)
    wave = np.sin((across * math.cos(angle) + down * math.sin(angle)) * (math.tau / length))
    return wave if source.random() < 0.5 else np.asarray(np.sign(wave))


def _checks(plan: GroundPlan, source: random.Random) -> Numbers:
    down, across = _grid_places(plan)
    step = max(3, plan.height * source.uniform(0.06, 0.4))
    return np.asarray((down // step + across // step) % 2 * 2 - 1)


def _grid(plan: GroundPlan, source: random.Random) -> Numbers:
    down, across = _grid_places(plan)
    step_down, step_across = (max(4, round(plan.height * source.uniform(0.1, 0.35))) for _ in range(2))
    is_line = (down % step_down < 1) | (across % step_across < 1)
    return np.asarray(is_line * np.float32(source.choice((-1.8, -1.2, 1.2))))


def _weave(plan: GroundPlan, source: random.Random) -> Numbers:
    down, across = _grid_places(plan)
    length = plan.height * source.uniform(0.1, 0.5)
    return np.asarray(np.sin(across * (math.tau / length)) * np.sin(down * (math.tau / length)))


def _print_letters(plan: GroundPlan, source: random.Random) -> Numbers:
    image = Image.new("L", (plan.width, plan.height), 0)
    draw = ImageDraw.Draw(image)
    path, size = source.choice(list_fonts()), max(8, round(plan.height * source.uniform(0.18, 0.4)))
    for _ in range(source.randint(6, 40)):
        place = (source.uniform(-5, plan.width), source.uniform(-5, plan.height))
        draw.text(place, source.choice(ascii_letters + digits), source.randint(120, 255), load_font(path, size))
    return np.asarray(image, dtype=np.float32) * np.float32(source.choice((-1, -1, 1)) / 255)


def _print_shapes(plan: GroundPlan, source: random.Random) -> Numbers:
    image = Image.new("L", (plan.width, plan.height), 128)
    draw = ImageDraw.Draw(image)
    for _ in range(source.randint(4, 25)):
        left, top = source.uniform(-10, plan.width), source.uniform(-10, plan.height)
        size = plan.height * source.uniform(0.1, 0.7)
        box = (left, top, left + size * source.uniform(0.5, 2), top + size)
        if source.random() < 0.6:
            draw.ellipse(box, fill=source.randint(0, 255))
        else:
            draw.rectangle(box, fill=source.randint(0, 255))
    return (np.asarray(image, dtype=np.float32) - 128) / 128


GROUNDS: dict[Ground, int] = {
    _flat: 16,
    _gradient: 5,
    _glow: 1,
    _grain: 4,
    _clouds: 3,
    _stripes: 2,
    _checks: 1,
    _grid: 3,
    _weave: 1,
    _print_letters: 3,
    _print_shapes: 2,
}
"""The grounds, each with its weight; a pattern is about -1..1."""
