"""Headers of pictures: what Pillow writes is read right, rubbish is refused and nothing else happens."""

import contextlib
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import (
    PICTURE_LIMIT_BYTES,
    PICTURE_LIMIT_PIXELS,
    PictureFormat,
    PictureHeader,
    read_picture_header,
)

RASTER_FORMATS = [PictureFormat.PNG, PictureFormat.JPEG, PictureFormat.GIF, PictureFormat.WEBP, PictureFormat.BMP]
SIGNATURES = [
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"\xff\xd8\xff\xe0",
    b"\xff\xd8\xff\xc0\x00\x11\x08",
    b"GIF89a",
    b"RIFF\x00\x00\x00\x00WEBPVP8X",
    b"RIFF\x00\x00\x00\x00WEBPVP8L",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    b"BM",
    b"<svg ",
    b"<?xml version='1.0'?><svg width='",
]


def encode(picture_format: PictureFormat, width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, picture_format.upper(), **options)
    return buffer.getvalue()


@given(st.sampled_from(RASTER_FORMATS), st.integers(1, 300), st.integers(1, 300), st.sampled_from(["RGB", "L", "P"]))
def test_every_picture_pillow_writes_is_read_right(
    picture_format: PictureFormat, width: int, height: int, mode: str
) -> None:
    if picture_format is PictureFormat.JPEG and mode == "P":
        mode = "L"
    data = encode(picture_format, width, height, mode)
    assert read_picture_header(data) == PictureHeader(picture_format, width, height)


@given(st.integers(1, 300), st.integers(1, 300), st.booleans(), st.booleans())
def test_every_kind_of_webp_is_read_right(width: int, height: int, is_lossless: bool, has_alpha: bool) -> None:
    data = encode(PictureFormat.WEBP, width, height, "RGBA" if has_alpha else "RGB", lossless=is_lossless)
    assert read_picture_header(data) == PictureHeader(PictureFormat.WEBP, width, height)


def test_an_animation_is_measured_by_its_canvas() -> None:
    frames = [Image.new("RGB", (40, 20), colour) for colour in ("red", "blue")]
    for picture_format in (PictureFormat.GIF, PictureFormat.WEBP, PictureFormat.PNG):
        buffer = io.BytesIO()
        frames[0].save(buffer, picture_format.upper(), save_all=True, append_images=frames[1:])
        assert read_picture_header(buffer.getvalue()) == PictureHeader(picture_format, 40, 20)


def test_a_progressive_jpeg_with_metadata_before_its_frame_is_read_right() -> None:
    data = encode(PictureFormat.JPEG, 33, 44, progressive=True, icc_profile=b"x" * 70_000, comment=b"hello")
    assert read_picture_header(data) == PictureHeader(PictureFormat.JPEG, 33, 44)


@given(st.one_of(st.binary(max_size=400), st.tuples(st.sampled_from(SIGNATURES), st.binary(max_size=80)).map(b"".join)))
def test_rubbish_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with contextlib.suppress(PictureRefused):
        header = read_picture_header(data)
        assert 1 <= header.width * header.height <= PICTURE_LIMIT_PIXELS


@given(st.sampled_from(RASTER_FORMATS), st.integers(0, 200))
def test_a_header_cut_short_is_refused_or_was_complete(picture_format: PictureFormat, length: int) -> None:
    data = encode(picture_format, 17, 23)[:length]
    try:
        assert read_picture_header(data) == PictureHeader(picture_format, 17, 23)
    except PictureRefused:
        assert length < 200


def bomb(picture_format: PictureFormat) -> bytes:
    """A header that promises 60,000 x 60,000 pixels."""
    side = 60_000
    if picture_format is PictureFormat.PNG:
        chunk = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    if picture_format is PictureFormat.JPEG:
        return b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", side, side)
    if picture_format is PictureFormat.GIF:
        return b"GIF89a" + struct.pack("<HH", side, side)
    if picture_format is PictureFormat.WEBP:
        size = (side - 1).to_bytes(3, "little")
        return b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + size + size
    if picture_format is PictureFormat.BMP:
        return b"BM" + b"\x00" * 12 + struct.pack("<Iii", 40, side, -side)
    return b'<svg width="60000" height="60000">'


@pytest.mark.parametrize("picture_format", list(PictureFormat))
def test_bombs_of_pixels_are_refused_by_their_header_alone(picture_format: PictureFormat) -> None:
    with pytest.raises(PictureRefused, match=r"60000 x 60000 pixels, more than the limit"):
        read_picture_header(bomb(picture_format))


def test_the_limits_themselves_are_allowed() -> None:
    assert read_picture_header(b"GIF89a" + struct.pack("<HH", 2000, 2000)).width == 2000
    padded = encode(PictureFormat.PNG, 5, 5).ljust(PICTURE_LIMIT_BYTES, b"\x00")
    assert read_picture_header(padded).height == 5
    with pytest.raises(PictureRefused, match="more than the limit"):
        read_picture_header(padded + b"\x00")


def test_no_bytes_and_no_pixels_are_refused() -> None:
    with pytest.raises(PictureRefused, match="empty"):
        read_picture_header(b"")
    with pytest.raises(PictureRefused, match="0 x 7 pixels"):
        read_picture_header(b"GIF89a" + struct.pack("<HH", 0, 7))


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        ('<svg width="120" height="40px"></svg>', 120, 40),
        ("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0,0 150 50'/>", 150, 50),
        ('<?xml version="1.0"?>\n<!-- made by hand -->\n<svg width="2in" height="1in">', 192, 96),
        ('<svg width="100%" viewBox="0 0 80 30">', 80, 30),
        ("<svg>", 300, 150),
    ],
)
def test_the_size_of_an_svg_is_read_from_its_attributes(text: str, width: int, height: int) -> None:
    assert read_picture_header(text.encode()) == PictureHeader(PictureFormat.SVG, width, height)
