"""Pictures of every format, mode and transparency become dark pixels on light; damaged ones are refused."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_PIXELS
from captchad.recognition.decoding import decode_picture, is_blank
from captchad.recognition.flattening import to_grey
from tests.unit.recognition.pictures import SAMPLES, draw, encode, noisy


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


@pytest.mark.parametrize("size", [(1, 1), (2, 400), (700, 3), (2000, 2000)])
def test_every_size_and_aspect_is_decoded(size: tuple[int, int]) -> None:
    assert decode_picture(encode(Image.new("RGB", size))).shape == size[::-1]


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


@pytest.mark.parametrize("ink", [(255, 255, 255, 255), (235, 235, 220, 255)])
def test_light_text_on_a_transparent_ground_is_laid_on_black(ink: tuple[int, ...]) -> None:
    pixels = decode_picture(encode(draw("RGBA", (255, 255, 255, 0), ink)))
    assert pixels[15, 30].min() > 215
    assert pixels[2, 2].max() == 0


def test_text_cut_out_of_white_is_laid_on_black() -> None:
    pixels = decode_picture(encode(draw("RGBA", (255, 255, 255, 255), (255, 255, 255, 0))))
    assert pixels[15, 30] == 0
    assert pixels[2, 2] == 255


def test_transparent_corners_do_not_turn_a_light_picture_dark() -> None:
    image = draw("RGBA", (255, 255, 255, 255), (0, 0, 0, 255))
    for corner in ((0, 0), (59, 0), (0, 29), (59, 29)):
        image.putpixel(corner, (0, 0, 0, 0))
    pixels = decode_picture(encode(image))
    assert pixels[0, 0] == 255
    assert pixels[15, 30] == 0


@pytest.mark.parametrize("picture_format", ["PNG", "GIF", "WEBP"])
def test_colours_stay(picture_format: str) -> None:
    pixels = decode_picture(encode(draw(ground="white", ink="yellow"), picture_format))
    assert np.allclose(pixels[15, 30], (255, 255, 0), atol=12)
    assert np.allclose(pixels[2, 2], (255, 255, 255), atol=12)


def test_what_reads_grey_tells_colours_of_one_brightness_apart() -> None:
    pixels = to_grey(decode_picture(encode(draw(ground=(0, 130, 0), ink=(255, 0, 0)))))
    assert abs(int(pixels[15, 30]) - int(pixels[2, 2])) > 100


def test_colours_of_one_brightness_are_not_blank() -> None:
    assert not is_blank(decode_picture(encode(draw(ground=(100, 100, 100), ink=(157, 66, 110)))))


def test_a_picture_is_turned_as_browsers_turn_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for picture_format in ("JPEG", "PNG", "WEBP"):
        image = Image.new("RGB", (60, 30), "white")
        ImageDraw.Draw(image).rectangle((0, 0, 29, 14), fill="black")
        pixels = to_grey(decode_picture(encode(image, picture_format, exif=exif)))
        assert pixels.shape == (60, 30)
        assert pixels[5, 25] < 20
        assert pixels[5, 5] > 235


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00" + b"\xff" * 60_000]
)
def test_rubbish_for_an_orientation_turns_nothing(exif: bytes) -> None:
    assert_dark_box_on_white(encode(draw(), "JPEG", exif=exif))


def test_rubbish_for_a_colour_profile_is_left_out() -> None:
    for picture_format in ("PNG", "JPEG", "WEBP"):
        assert_dark_box_on_white(encode(draw(), picture_format, icc_profile=b"\xff" * 50_000))


def test_svg_is_refused_with_what_to_do() -> None:
    with pytest.raises(PictureRefused, match="convert it to PNG"):
        decode_picture(b'<svg width="10" height="10"></svg>')


@pytest.mark.parametrize("mode", ["I;16", "F", "RGB", "CMYK"])
def test_tiff_is_refused_whatever_its_mode(mode: str) -> None:
    with pytest.raises(PictureRefused, match="not a PNG, JPEG"):
        decode_picture(encode(Image.new(mode, (20, 10)), "TIFF"))


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_file_cut_in_half_is_refused(picture_format: str) -> None:
    data = encode(noisy(), picture_format)
    with pytest.raises(PictureRefused):
        decode_picture(data[: len(data) // 2])


@pytest.mark.parametrize("name", SAMPLES)
def test_every_prefix_of_a_file_is_decoded_or_refused(name: str) -> None:
    data = SAMPLES[name]
    lengths = {*range(min(len(data), 200)), *range(0, len(data), max(1, len(data) // 200)), len(data) - 1}
    for length in lengths:
        with contextlib.suppress(PictureRefused):
            assert decode_picture(data[:length]).ndim in {2, 3}
    assert decode_picture(data).ndim in {2, 3}


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(SAMPLES.values())),
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 255)), max_size=6),
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 400), st.integers(0, 20_000)), max_size=3),
    st.data(),
)
def test_damaged_pictures_are_decoded_within_the_limits_or_refused(
    data: bytes, flips: list[tuple[int, int]], copies: list[tuple[int, int, int]], rest: st.DataObject
) -> None:
    damaged = bytearray(data)
    for position, mask in flips:
        damaged[position % len(damaged)] ^= mask
    for source, length, target in copies:
        begin = source % len(damaged)
        where = target % len(damaged)
        damaged[where:where] = damaged[begin : begin + length]
    kept = rest.draw(st.integers(len(damaged) // 3, len(damaged)))
    with contextlib.suppress(PictureRefused):
        pixels = decode_picture(bytes(damaged[:kept]))
        assert pixels.ndim in {2, 3}
        height, width = pixels.shape[:2]
        assert 1 <= height * width <= PICTURE_LIMIT_PIXELS


def test_one_colour_is_blank_and_a_dot_of_ink_is_not() -> None:
    ground = np.full((40, 120), 200, dtype=np.uint8)
    assert is_blank(ground)
    ground[10:14, 10:14] = 0
    assert not is_blank(ground)
