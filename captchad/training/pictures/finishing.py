"""The last step of a drawn captcha: how its generator or its page smooths, quantises and spoils it."""

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from captchad.recognition.flattening import Pixels, has_colours
from captchad.training.pictures.planes import seed_numbers

Finish = Callable[[Pixels, random.Random], Pixels]


def finish(pixels: Pixels, source: random.Random) -> Pixels:
    """Finish a picture in one way, or none."""
    [kind] = source.choices(list(FINISHES), list(FINISHES.values()))
    return kind(pixels, source)


def _leave(pixels: Pixels, _source: random.Random) -> Pixels:
    return pixels


def _smooth(pixels: Pixels, source: random.Random) -> Pixels:
    kind = source.choice((ImageFilter.SMOOTH, ImageFilter.SMOOTH_MORE, ImageFilter.DETAIL, ImageFilter.EDGE_ENHANCE))
    return np.asarray(Image.fromarray(pixels).filter(kind), dtype=np.uint8)


def _blur(pixels: Pixels, source: random.Random) -> Pixels:
    radius = source.uniform(0.4, 1.1) * pixels.shape[0] / 60
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)), dtype=np.uint8)


def _dither(pixels: Pixels, source: random.Random) -> Pixels:
    colours = source.choice((2, 3, 4))
    image = Image.fromarray(pixels)
    if has_colours(pixels):
        # Two colours for the ground and its pattern, the others for what is drawn on it.
        return np.asarray(image.quantize(4 * colours, Image.Quantize.MEDIANCUT).convert("RGB"), dtype=np.uint8)
    if colours == 2:
        return np.asarray(image.convert("1").convert("L"), dtype=np.uint8)
    palette = Image.new("P", (1, 1))
    palette.putpalette([grey * 255 // (colours - 1) for grey in range(colours) for _ in range(3)])
    return np.asarray(image.convert("RGB").quantize(palette=palette).convert("L"), dtype=np.uint8)


def _separate(pixels: Pixels, source: random.Random) -> Pixels:
    if has_colours(pixels):
        # Where the colours alone differ, no bound of brightness divides ink and ground.
        return pixels
    low, high = np.percentile(pixels, (2, 98))
    bound = low + (high - low) * source.uniform(0.4, 0.6)
    return np.where(pixels > bound, 255, 0).astype(np.uint8)


def _pepper(pixels: Pixels, source: random.Random) -> Pixels:
    numbers = seed_numbers(source)
    spoilt = numbers.random(pixels.shape[:2]) < source.uniform(0.005, 0.06) * min(1.0, pixels.shape[0] / 60)
    grains = source.choice((0, 255, numbers.integers(0, 256, pixels.shape)))
    return np.where(spoilt[:, :, None] if has_colours(pixels) else spoilt, grains, pixels).astype(np.uint8)


def _coarsen(pixels: Pixels, source: random.Random) -> Pixels:
    height, width = pixels.shape[:2]
    share = max(source.uniform(0.35, 0.7), 22 / height)
    if share >= 1:
        return pixels
    how = source.choice((Image.Resampling.NEAREST, Image.Resampling.BOX))
    small = Image.fromarray(pixels).resize((round(width * share), round(height * share)), how)
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST), dtype=np.uint8)


def _scan(pixels: Pixels, source: random.Random) -> Pixels:
    step, grey = source.choice((2, 3, 4)), source.randint(0, 255)
    striped = pixels.copy()
    lines = striped[::step] if source.random() < 0.5 else striped[:, :: step + 2]
    lines[:] = lines * 0.5 + grey * 0.5
    return striped


def _emboss(pixels: Pixels, source: random.Random) -> Pixels:
    # The plain filter leaves hardly more than edges; half of the picture keeps the strokes whole.
    embossed = np.asarray(Image.fromarray(pixels).filter(ImageFilter.EMBOSS), dtype=np.float32)
    share = source.uniform(0.3, 0.8)
    return np.asarray((embossed * share + pixels * (1 - share)).clip(0, 255), dtype=np.uint8)


def _invert_parts(pixels: Pixels, source: random.Random) -> Pixels:
    count = source.randint(1, 4)
    bounds = sorted(source.randrange(pixels.shape[1]) for _ in range(count))
    inverted = pixels.copy()
    for start, end in zip(bounds[::2], [*bounds[1::2], pixels.shape[1]], strict=False):
        inverted[:, start:end] = 255 - inverted[:, start:end]
    return inverted


def _shift_rows(pixels: Pixels, source: random.Random) -> Pixels:
    most = max(1, pixels.shape[0] // 25)
    return np.stack([np.roll(row, source.randint(-most, most), axis=0) for row in pixels])


FINISHES: dict[Finish, int] = {
    _leave: 40,
    _smooth: 10,
    _blur: 10,
    _dither: 3,
    _separate: 5,
    _pepper: 7,
    _coarsen: 4,
    _scan: 2,
    _emboss: 2,
    _invert_parts: 2,
    _shift_rows: 2,
}
"""The ways to finish, each with its weight."""
