"""What happens to a captcha between its generator and its reader: scaling, margins, compression, other tones."""

import io
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from captchad.recognition.flattening import Pixels
from captchad.training.pictures.planes import seed_numbers

Alteration = Callable[[Image.Image, random.Random], Image.Image]

HEIGHT_LEAST_PIXELS, HEIGHT_MOST_PIXELS = 20, 120
WIDTH_LEAST_PIXELS, WIDTH_MOST_PIXELS = 40, 400
_MOST_ALTERATIONS = 3


def augment_picture(pixels: Pixels, source: random.Random) -> Pixels:
    """Alter a picture in one to three ways, none of which makes its text unreadable."""
    image = Image.fromarray(pixels)
    chosen = source.choices(list(ALTERATIONS), list(ALTERATIONS.values()), k=source.randint(1, _MOST_ALTERATIONS))
    for alteration in dict.fromkeys(chosen):
        image = alteration(image, source)
    return np.asarray(image, dtype=np.uint8)


def _rescale(image: Image.Image, source: random.Random) -> Image.Image:
    scale, aspect = source.uniform(0.65, 1.5), source.uniform(0.85, 1.2)
    height = min(max(round(image.height * scale), HEIGHT_LEAST_PIXELS), HEIGHT_MOST_PIXELS)
    width = round(image.width * height / image.height * aspect)
    width = min(max(width, WIDTH_LEAST_PIXELS), WIDTH_MOST_PIXELS)
    how = source.choice((Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.BOX))
    return image.resize((width, height), how)


def _pad(image: Image.Image, source: random.Random) -> Image.Image:
    edge = source.choice((255, _edge_of(image), source.randint(0, 255)))
    most = image.height // 4
    left, above, right, below = (source.randint(0, most) for _ in range(4))
    size = (image.width + left + right, image.height + above + below)
    whole = (edge,) * len(image.getbands()) if isinstance(edge, int) else edge
    padded = Image.new(image.mode, size, whole if len(whole) > 1 else whole[0])
    padded.paste(image, (left, above))
    return padded


def _edge_of(image: Image.Image) -> tuple[int, ...]:
    row = np.asarray(image)[0]
    return tuple(int(part) for part in np.median(row.reshape(len(row), -1), axis=0))


def _map(image: Image.Image, levels: list[int]) -> Image.Image:
    return image.point(levels * len(image.getbands()))


def _crop(image: Image.Image, source: random.Random) -> Image.Image:
    left, above, right, below = (source.randint(0, 2) for _ in range(4))
    return image.crop((left, above, image.width - right, image.height - below))


def _retone(image: Image.Image, source: random.Random) -> Image.Image:
    low, high = sorted((source.uniform(0, 255), source.uniform(0, 255)))
    low, high = (low, high) if high - low > 90 else (low * 0.4, 255 - (255 - high) * 0.4)
    gamma = source.uniform(0.7, 1.5)
    return _map(image, [round(low + (high - low) * (grey / 255) ** gamma) for grey in range(256)])


def _invert(image: Image.Image, _source: random.Random) -> Image.Image:
    return _map(image, [255 - grey for grey in range(256)])


def _compress(image: Image.Image, source: random.Random) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=source.randint(30, 95))
    return Image.open(buffer).convert(image.mode)


def _add_noise(image: Image.Image, source: random.Random) -> Image.Image:
    numbers = seed_numbers(source)
    noise = numbers.standard_normal(np.asarray(image).shape, dtype=np.float32) * source.uniform(2, 18)
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def _blur(image: Image.Image, source: random.Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(source.uniform(0.3, 1.0) * image.height / 60))


def _sharpen(image: Image.Image, _source: random.Random) -> Image.Image:
    return image.filter(ImageFilter.SHARPEN)


def _posterise(image: Image.Image, source: random.Random) -> Image.Image:
    levels = source.choice((3, 4, 6, 8, 16))
    return _map(image, [round(round(grey / 255 * (levels - 1)) * 255 / (levels - 1)) for grey in range(256)])


ALTERATIONS: dict[Alteration, int] = {
    _rescale: 8,
    _pad: 4,
    _crop: 3,
    _retone: 4,
    _invert: 2,
    _compress: 4,
    _add_noise: 3,
    _blur: 3,
    _sharpen: 2,
    _posterise: 1,
}
"""The alterations, each with its weight."""
