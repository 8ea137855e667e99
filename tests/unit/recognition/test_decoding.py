"""Decoding: every format and mode to grey on white, damaged files refused, everything bounded."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_PIXELS
from captchad.recognition.decoding import FRAMES_LIMIT, JPEG_SCANS_LIMIT, decode_picture, is_blank


def draw(mode: str = "RGB", ground: object = "white", ink: object = "black") -> Image.Image:
    image = Image.new(mode, (60, 30), ground)  # type: ignore[arg-type]
    ImageDraw.Draw(image).rectangle((20, 10, 39, 19), fill=ink)  # type: ignore[arg-type]
    return image


def encode(image: Image.Image, picture_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def assert_dark_box_on_white(data: bytes) -> None:
    pixels = decode_picture(data)
    assert pixels.shape == (30, 60)
    assert pixels.dtype == np.uint8
    assert pixels[15, 30] < 20
    assert pixels[2, 2] > 235


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_every_format_is_decoded(picture_format: str) -> None:
    assert_dark_box_on_white(encode(draw(), picture_format))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_every_png_mode_is_decoded(mode: str) -> None:
    assert_dark_box_on_white(encode(draw().convert(mode)))


def test_cmyk_jpeg_is_decoded() -> None:
    assert_dark_box_on_white(encode(draw().convert("CMYK"), "JPEG"))


def test_16_bit_png_is_narrowed() -> None:
    wide = Image.fromarray(np.asarray(draw().convert("L")).astype(np.uint16) * 257)
    assert_dark_box_on_white(encode(wide))


def test_a_transparent_ground_is_laid_on_white() -> None:
    assert_dark_box_on_white(encode(draw("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))))


def test_a_transparent_palette_colour_is_laid_on_white() -> None:
    image = draw("P", 0, 1)
    image.putpalette([200, 0, 0, 0, 0, 0])
    assert_dark_box_on_white(encode(image, transparency=0))


def test_white_text_on_a_transparent_ground_is_laid_on_black() -> None:
    pixels = decode_picture(encode(draw("RGBA", (255, 255, 255, 0), (255, 255, 255, 255))))
    assert pixels[15, 30] == 255
    assert pixels[2, 2] == 0


def test_of_an_animation_the_frame_with_most_contrast_is_taken() -> None:
    frames = [Image.new("RGB", (60, 30), "white"), draw(ink="silver"), draw(), Image.new("RGB", (60, 30), "white")]
    for picture_format in ("GIF", "WEBP"):
        data = encode(frames[0], picture_format, save_all=True, append_images=frames[1:])
        assert_dark_box_on_white(data)


def test_frames_beyond_the_limit_are_not_decoded() -> None:
    frames = [draw(ink=(200, 200, 200 - number)) for number in range(FRAMES_LIMIT)]
    data = encode(frames[0], "GIF", save_all=True, append_images=[*frames[1:], draw()])
    assert decode_picture(data)[15, 30] > 150


def test_a_jpeg_of_too_many_scans_is_refused() -> None:
    data = encode(draw(), "JPEG", progressive=True)
    with pytest.raises(PictureRefused, match="scans"):
        decode_picture(data[:-2] + b"\xff\xda\x00\x02" * (JPEG_SCANS_LIMIT + 1))


def test_a_frame_larger_than_the_canvas_is_refused() -> None:
    descriptor = b"\x2c" + b"\x00" * 4 + b"\xff\xff\xff\xff\x00"
    data = b"GIF89a\x0a\x00\x0a\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff" + descriptor + b"\x02\x02\x4c\x01\x00;"
    with pytest.raises(PictureRefused):
        decode_picture(data)


def test_svg_is_refused_with_what_to_do() -> None:
    with pytest.raises(PictureRefused, match="convert it to PNG"):
        decode_picture(b'<svg width="10" height="10"></svg>')


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_file_cut_in_half_is_refused(picture_format: str) -> None:
    noisy = Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 60, 3)).astype(np.uint8))
    data = encode(noisy, picture_format)
    with pytest.raises(PictureRefused):
        decode_picture(data[: len(data) // 2])


VALID = [
    encode(draw(), picture_format, **options)
    for picture_format, options in [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("GIF", {"save_all": True, "append_images": [draw(ink="red")]}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
    ]
]


@settings(max_examples=300)
@given(st.sampled_from(VALID), st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 255)), max_size=6), st.data())
def test_damaged_pictures_are_decoded_within_the_limits_or_refused(
    data: bytes, flips: list[tuple[int, int]], rest: st.DataObject
) -> None:
    damaged = bytearray(data)
    for position, mask in flips:
        damaged[position % len(damaged)] ^= mask
    kept = rest.draw(st.integers(len(damaged) // 3, len(damaged)))
    with contextlib.suppress(PictureRefused):
        pixels = decode_picture(bytes(damaged[:kept]))
        assert pixels.ndim == 2
        assert 1 <= pixels.size <= PICTURE_LIMIT_PIXELS


def test_one_colour_is_blank_and_a_dot_of_ink_is_not() -> None:
    ground = np.full((40, 120), 200, dtype=np.uint8)
    assert is_blank(ground)
    ground[10:14, 10:14] = 0
    assert not is_blank(ground)
