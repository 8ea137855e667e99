"""Decodes a picture's bytes to pixels in bounded time and memory, or refuses them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_PIXELS, PictureFormat, read_picture_header
from captchad.recognition.essentials import keep_essentials
from captchad.recognition.essentials.essentials import FRAMES_LIMIT
from captchad.recognition.flattening import Flattened, Pixels, drop_false_colours, flatten
from captchad.recognition.frames import choose_witnesses, compose_frames, compose_in_each_way, find_median

__all__ = ["ANIMATION_LIMIT_PIXELS", "Decoded", "Pixels", "decode_picture", "decode_views", "is_blank"]

ANIMATION_LIMIT_PIXELS = 2 * PICTURE_LIMIT_PIXELS
_BLANK_DIFFERENCE = 8
_BLANK_LIMIT_PIXELS = 6
_ANIMATED_FORMATS = frozenset({PictureFormat.GIF, PictureFormat.PNG, PictureFormat.WEBP})
_QUARTER_TURNS_BY_ORIENTATION = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}
_MIRRORED_ORIENTATIONS = frozenset({2, 4, 5, 7})


@dataclass(frozen=True, slots=True)
class Decoded:
    """What there is to read: one picture, or an animation's compositions, the most legible first, and some frames."""

    compositions: tuple[Pixels, ...]
    frames: tuple[Pixels, ...] = ()


def decode_picture(data: bytes) -> Pixels:
    """Decode to one picture, an animation to its most legible composition; see `decode_views`."""
    frames, orientation = _decode(data)
    return _turn(compose_frames(frames), orientation)


def decode_views(data: bytes) -> Decoded:
    """Decode a picture as a person sees it on a page, and an animation to all that is read of it.

    The pixels are grey where nothing in the picture has a colour. Of an animation the first 100 frames are used, fewer
    where they are large. Whatever the bytes, only PictureRefused is raised: it is no whole picture within the limits.
    """
    frames, orientation = _decode(data)
    witnesses = choose_witnesses(frames)
    if len(witnesses) == 1:
        return Decoded((_turn(frames[0], orientation),))
    return Decoded(
        tuple(_turn(picture, orientation) for picture in compose_in_each_way(frames)),
        tuple(_turn(picture, orientation) for picture in witnesses),
    )


def _decode(data: bytes) -> tuple[list[Pixels], int]:
    """Return the frames, laid on a page, and the picture's orientation."""
    header = read_picture_header(data)
    if header.format is PictureFormat.SVG:
        raise PictureRefused("an SVG must be drawn before it is read: submit it to a worker, or convert it to PNG")
    # Before Pillow sees the file: a crafted one of a few bytes could cost it hundreds of megabytes.
    essentials = keep_essentials(header.format, data)
    try:
        # The format is known: no other reader of Pillow's gets to try.
        with Image.open(io.BytesIO(essentials.data), formats=(header.format.upper(),)) as image:
            frames = list(_decode_frames(image, is_animated=header.format in _ANIMATED_FORMATS))
    except PictureRefused:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's readers raise nearly anything at damaged files
        raise PictureRefused(
            f"the {header.format.upper()} picture is damaged: {str(error) or type(error).__name__}"
        ) from None
    return _lay_on_page(frames), essentials.orientation


def is_blank(pixels: Pixels) -> bool:
    """Whether no pixel stands out, so that there can be no text."""
    stands_out = np.zeros(pixels.shape[:2], dtype=bool)
    for plane in np.moveaxis(pixels.reshape(*pixels.shape[:2], -1), 2, 0):
        stands_out |= np.abs(plane.astype(np.int16) - find_median(plane)) > _BLANK_DIFFERENCE
    return int(np.count_nonzero(stands_out)) < _BLANK_LIMIT_PIXELS


def _decode_frames(image: Image.Image, *, is_animated: bool) -> Iterator[Flattened]:
    """Decode frames until they end or reach the limit; all share the canvas of the first."""
    pixels = image.width * image.height
    # Checked again: what Pillow opens may be larger than the header said.
    if pixels > PICTURE_LIMIT_PIXELS:
        raise PictureRefused(f"the picture has {image.width} x {image.height} pixels once opened")
    size = image.size
    image.load()
    yield flatten(image)
    for number in range(1, min(FRAMES_LIMIT, ANIMATION_LIMIT_PIXELS // pixels) if is_animated else 1):
        try:
            image.seek(number)
        except EOFError:
            return
        image.load()
        if image.size != size:
            raise PictureRefused("the frames of the picture are not of one size")
        yield flatten(image)


def _lay_on_page(frames: list[Flattened]) -> list[Pixels]:
    """Lay all frames on the page that shows more of what they add up to."""
    on_white = [frame.on_white for frame in frames]
    if all(frame.on_black is frame.on_white for frame in frames):
        return on_white
    on_black = [frame.on_black for frame in frames]
    is_black_clearer = Flattened(compose_frames(on_white), compose_frames(on_black)).is_clearer_on_black
    return on_black if is_black_clearer else on_white


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    """Turn a picture upright, grey where it can be: EXIF's orientations are a turn, a mirror image, or both."""
    turned = np.rot90(drop_false_colours(pixels), _QUARTER_TURNS_BY_ORIENTATION.get(orientation, 0))
    if orientation in _MIRRORED_ORIENTATIONS:
        turned = np.fliplr(turned)
    return np.ascontiguousarray(turned)
