"""Pictures of nothing that fill the plane: grain, clouds as photographs have them, patterns, screens."""

import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from captchad.training.pictures.planes import Numbers, seed_numbers, to_image, to_numbers

Drawing = Callable[[tuple[int, int], random.Random], Numbers]


def draw_fade(shape: tuple[int, int], source: random.Random) -> Numbers:
    """A plain grey, or one that fades to another."""
    down, across = (np.linspace(-0.5, 0.5, extent, dtype=np.float32) for extent in shape)
    strength = source.choice((0, source.uniform(20, 200)))
    angle = source.uniform(0, math.tau)
    fade = down[:, None] * math.sin(angle) + across[None, :] * math.cos(angle)
    return np.asarray(source.uniform(60, 230) + fade * strength, dtype=np.float32)


def draw_clouds(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Light and dark places of several sizes, as a photograph out of focus has them."""
    numbers, picture = seed_numbers(source), np.full(shape, source.uniform(80, 180), dtype=np.float32)
    strength = source.uniform(40, 110)
    for cell in (1.0, 0.5, 0.25, 0.12)[: source.randint(1, 4)]:
        size = [max(2, round(extent / (shape[0] * cell)) + 1) for extent in shape]
        coarse = Image.fromarray(numbers.uniform(-1, 1, size).astype(np.float32))
        picture += strength * np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))
        strength *= source.uniform(0.4, 0.8)
    return picture


def _draw_uniform_noise(shape: tuple[int, int], source: random.Random) -> Numbers:
    coarse = source.choice((1, 1, 2, 4))
    small = seed_numbers(source).uniform(0, 255, (-(-shape[0] // coarse), -(-shape[1] // coarse)))
    return np.asarray(np.repeat(np.repeat(small, coarse, 0), coarse, 1)[: shape[0], : shape[1]])


def _draw_normal_noise(shape: tuple[int, int], source: random.Random) -> Numbers:
    noise = seed_numbers(source).standard_normal(shape, dtype=np.float32) * source.uniform(5, 90)
    return draw_fade(shape, source) + noise


def _draw_salt(shape: tuple[int, int], source: random.Random) -> Numbers:
    numbers, picture = seed_numbers(source), draw_fade(shape, source)
    spoilt = numbers.random(shape) < source.uniform(0.005, 0.2)
    grains = source.choice((0, 255, numbers.integers(0, 2, shape) * 255))
    return np.where(spoilt, grains, picture)


def _draw_blurred_noise(shape: tuple[int, int], source: random.Random) -> Numbers:
    noise = to_image(seed_numbers(source).uniform(0, 255, shape))
    soft = to_numbers(noise.filter(ImageFilter.GaussianBlur(source.uniform(0.6, 4))))
    return np.asarray((soft - soft.mean()) / (soft.std() + 1) * source.uniform(20, 80) + source.uniform(90, 170))


def _draw_checks(shape: tuple[int, int], source: random.Random) -> Numbers:
    down, across = np.indices(shape)
    step, other = (max(3, shape[0] // source.randint(3, 12)) for _ in range(2))
    board = (down // step + across // (step if source.random() < 0.7 else other)) % 2
    return draw_fade(shape, source) + board * source.uniform(-120, 120)


def _draw_stripes(shape: tuple[int, int], source: random.Random) -> Numbers:
    down, across = np.indices(shape)
    angle, length = source.uniform(0, math.pi), source.uniform(3, max(6, shape[0] / 2))
    wave = np.sin((across * math.cos(angle) + down * math.sin(angle)) * (math.tau / length))
    wave = wave if source.random() < 0.5 else np.sign(wave)
    return draw_fade(shape, source) + wave * source.uniform(15, 110)


def _draw_grid(shape: tuple[int, int], source: random.Random) -> Numbers:
    down, across = np.indices(shape)
    step, slope = source.randint(4, max(6, shape[0] // 3)), source.choice((0, 0, 0.5, 1, -1))
    lines = ((down + slope * across) % step < 1) | ((across - slope * down) % step < 1)
    return draw_fade(shape, source) + lines * source.uniform(-150, 150)


def _draw_rings(shape: tuple[int, int], source: random.Random) -> Numbers:
    down, across = np.indices(shape)
    picture = draw_fade(shape, source)
    for _ in range(source.randint(1, 2)):
        south, east = down - shape[0] * source.random(), across - shape[1] * source.random()
        picture += source.uniform(15, 70) * np.sin(np.hypot(south, east) * (math.tau / source.uniform(3, 16)))
    return picture


def _draw_screen(shape: tuple[int, int], source: random.Random) -> Numbers:
    """Clouds printed as a screen of dots."""
    down, across = np.indices(shape)
    length = source.uniform(3, 8)
    screen = (np.cos(across * math.tau / length) + np.cos(down * math.tau / length)) / 4 + 0.5
    return np.where(draw_clouds(shape, source) / 255 > screen, 255.0, 0.0)


def _draw_weave(shape: tuple[int, int], source: random.Random) -> Numbers:
    down, across = np.indices(shape)
    first, second = source.uniform(2, 20), source.uniform(2, 20)
    return draw_fade(shape, source) + np.sin(across / first) * np.sin(down / second) * source.uniform(15, 120)


def _draw_landscape(shape: tuple[int, int], source: random.Random) -> Numbers:
    """A sky, ranges of hills before it, each darker, grain."""
    height, width = shape
    picture = np.repeat(np.linspace(source.uniform(150, 230), 255, height, dtype=np.float32)[:, None], width, 1)
    down, across = np.indices(shape)
    grey = 200.0
    for number in range(source.randint(2, 4)):
        grey -= source.uniform(20, 60)
        line = height * (0.4 + 0.15 * number) + height * 0.12 * np.sin(
            across * (math.tau / (height * source.uniform(0.8, 4))) + source.uniform(0, math.tau)
        )
        picture = np.where(down > line, grey, picture)
    return picture + seed_numbers(source).standard_normal(shape) * source.uniform(0, 14)


TEXTURES: dict[Drawing, int] = {
    draw_fade: 1,
    draw_clouds: 4,
    _draw_uniform_noise: 2,
    _draw_normal_noise: 3,
    _draw_salt: 3,
    _draw_blurred_noise: 3,
    _draw_checks: 2,
    _draw_stripes: 2,
    _draw_grid: 2,
    _draw_rings: 2,
    _draw_screen: 1,
    _draw_weave: 2,
    _draw_landscape: 2,
}
"""The textures, each with its weight."""
