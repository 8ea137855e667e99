"""Bytes of a picture to pixels, whatever they hold: in bounded time and memory, or refused."""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_PIXELS, PictureFormat, read_picture_header

Pixels = NDArray[np.uint8]
"""Grey pixels of a picture, shape (height, width), 0 black to 255 white."""

FRAMES_LIMIT = 16
ANIMATION_LIMIT_PIXELS = 4 * PICTURE_LIMIT_PIXELS
JPEG_SCANS_LIMIT = 100
_JPEG_SCAN_MARKER = b"\xff\xda"
_WHITE, _BLACK = 255, 0
_BLANK_DIFFERENCE = 8
_BLANK_LIMIT_PIXELS = 6
_BITS_16_TO_8 = 8


def decode_picture(data: bytes) -> Pixels:
    """Decode a picture to grey on white; of an animation the frame with most contrast among the first ones.

    PictureRefused where the bytes are no whole picture within the limits.
    """
    header = read_picture_header(data)
    if header.format is PictureFormat.SVG:
        raise PictureRefused("an SVG must be drawn before it is read: submit it to a worker, or convert it to PNG")
    # A progressive JPEG of few bytes may hold thousands of passes over all its pixels.
    if header.format is PictureFormat.JPEG and data.count(_JPEG_SCAN_MARKER) > JPEG_SCANS_LIMIT:
        raise PictureRefused(f"the JPEG has more than {JPEG_SCANS_LIMIT} scans")
    try:
        with Image.open(io.BytesIO(data), formats=(header.format.upper(),)) as image:
            return max(_decode_frames(image), key=_contrast)
    except PictureRefused:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's readers raise nearly anything at damaged files
        raise PictureRefused(f"the {header.format.upper()} picture is damaged: {error}") from None


def is_blank(pixels: Pixels) -> bool:
    """Whether no pixel stands out, so that there can be no text."""
    differences = np.abs(pixels.astype(np.int16) - np.int16(np.median(pixels)))
    return int(np.count_nonzero(differences > _BLANK_DIFFERENCE)) < _BLANK_LIMIT_PIXELS


def _contrast(pixels: Pixels) -> float:
    return float(pixels.std())


def _decode_frames(image: Image.Image) -> Iterator[Pixels]:
    frames = getattr(image, "n_frames", 1)
    allowed = max(1, min(frames, FRAMES_LIMIT, ANIMATION_LIMIT_PIXELS // (image.width * image.height)))
    for number in range(allowed):
        if number > 0:
            image.seek(number)
        # A frame may reach beyond the canvas that the header names.
        if image.width * image.height > PICTURE_LIMIT_PIXELS:
            raise PictureRefused(f"a frame has {image.width} x {image.height} pixels")
        yield _flatten(image)


def _flatten(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):
        return _narrow_16_bits(np.asarray(image))
    if image.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        layers = image.convert("RGBA")
        on_white = _lay_on(layers, _WHITE)
        # White text on a transparent ground is only seen on a dark page.
        return _lay_on(layers, _BLACK) if is_blank(on_white) else on_white
    return np.asarray(image.convert("L"))


def _narrow_16_bits(pixels: NDArray[np.generic]) -> Pixels:
    values = np.asarray(pixels).astype(np.int64)
    if values.max(initial=0) > _WHITE:
        values >>= _BITS_16_TO_8
    return values.clip(_BLACK, _WHITE).astype(np.uint8)


def _lay_on(layers: Image.Image, ground: int) -> Pixels:
    canvas = Image.new("RGBA", layers.size, (ground, ground, ground, _WHITE))
    return np.asarray(Image.alpha_composite(canvas, layers).convert("L"))
