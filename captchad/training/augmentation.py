"""Alters a picture a little each time it is trained on."""

import numpy as np
from PIL import Image

from captchad.recognition.flattening import Pixels, has_colours, to_colours, to_grey
from captchad.recognition.preparation import GREY_PLANES, Prepared, normalise, resize
from captchad.training.colouring import recolour

STRETCH_LEAST, STRETCH_MOST = 0.8, 1.3
_TILT_CHANCE, _TILT_DEGREES = 0.25, 5.0
_MARGIN_CHANCE, _MARGIN_SHARE = 0.4, 0.2
_SMALL_CHANCE, _SMALL_LEAST_SHARE = 0.2, 0.5
_NOISE_CHANCE, _NOISE_MOST = 0.3, 0.12
_GAIN_SPREAD = 0.2
_FLIP_CHANCE = 0.03
_DISTURBED_STRETCH = (0.8, 1.25)
_DISTURBED_DEGREES = 8.0
_DISTURBED_SHARE = (0.4, 0.7)
_DISTURBED_NOISE = 24.0


def augment(pixels: Pixels, generator: np.random.Generator, *, planes: int = GREY_PLANES) -> Prepared:
    """Prepare a picture with random margins, tilt, stretch, loss of detail, contrast and noise, in other colours."""
    pixels = to_grey(pixels) if planes == GREY_PLANES else recolour(pixels, generator)
    pixels = _tilt(_add_margins(pixels, generator), generator)
    stretch = float(generator.uniform(STRETCH_LEAST, STRETCH_MOST))
    prepared = normalise(resize(_lose_detail(pixels, generator), stretch), planes)
    prepared *= np.float32(generator.uniform(1 - _GAIN_SPREAD, 1 + _GAIN_SPREAD))
    if generator.random() < _NOISE_CHANCE:
        noise = generator.standard_normal(prepared.shape, dtype=np.float32)
        prepared += noise * np.float32(generator.uniform(0, _NOISE_MOST))
    # The preparation may confuse ground and ink where they cover about the same area.
    return -prepared if generator.random() < _FLIP_CHANCE else prepared


def disturb(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return a picture stretched, turned, without detail and with noise: harder to read, to tell readers apart."""
    height, width = pixels.shape[:2]
    wide = max(1, round(width * float(generator.uniform(*_DISTURBED_STRETCH))))
    stretched = np.asarray(Image.fromarray(pixels).resize((wide, height), Image.Resampling.BILINEAR), dtype=np.uint8)
    turned = _turn(stretched, float(generator.uniform(-_DISTURBED_DEGREES, _DISTURBED_DEGREES)))
    coarse = _shrink_and_enlarge(turned, float(generator.uniform(*_DISTURBED_SHARE)))
    noise = generator.standard_normal(coarse.shape) * float(generator.uniform(0, _DISTURBED_NOISE))
    return np.clip(coarse + noise, 0, 255).astype(np.uint8)


def _add_margins(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    if generator.random() >= _MARGIN_CHANCE:
        return pixels
    shares = generator.uniform(0, _MARGIN_SHARE, size=4) * generator.uniform(0, 1)
    above, below, left, right = (round(float(share) * pixels.shape[0]) for share in shares)
    height, width = pixels.shape[:2]
    framed = np.empty((above + height + below, left + width + right, *pixels.shape[2:]), dtype=np.uint8)
    framed[:] = _find_ground(pixels)
    framed[above : above + height, left : left + width] = pixels
    return framed


def _tilt(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    if generator.random() >= _TILT_CHANCE:
        return pixels
    return _turn(pixels, float(generator.uniform(-_TILT_DEGREES, _TILT_DEGREES)))


def _turn(pixels: Pixels, degrees: float) -> Pixels:
    turned = Image.fromarray(pixels).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=_find_ground(pixels))
    return np.asarray(turned, dtype=np.uint8)


def _lose_detail(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    if generator.random() >= _SMALL_CHANCE:
        return pixels
    return _shrink_and_enlarge(pixels, float(generator.uniform(_SMALL_LEAST_SHARE, 1)))


def _shrink_and_enlarge(pixels: Pixels, share: float) -> Pixels:
    height, width = pixels.shape[:2]
    # A picture that is small already has no detail to spare.
    share = min(1.0, max(share, 24 / height))
    small = Image.fromarray(pixels).resize(
        (max(1, round(width * share)), max(1, round(height * share))), Image.Resampling.BILINEAR
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR), dtype=np.uint8)


def _find_ground(pixels: Pixels) -> int | tuple[int, ...]:
    ground = np.median(to_colours(pixels), axis=(0, 1)).astype(int)
    return tuple(ground.tolist()) if has_colours(pixels) else int(ground[0])
