"""Reads a picture's format and size from its header, without decoding, and checks the limits."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from captchad.domain.errors import PictureRefused

PICTURE_LIMIT_BYTES = 2 * 1024 * 1024
PICTURE_TOO_LARGE = f"the picture is larger than 2 MiB ({PICTURE_LIMIT_BYTES} bytes)"
PICTURE_LIMIT_PIXELS = 4_000_000
SIDE_LIMIT_PIXELS = 16_384

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
_JPEG_SIGNATURE = b"\xff\xd8"
_JPEG_MARKER_START = 0xFF
_JPEG_STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN_OR_END_MARKERS = frozenset({0xDA, 0xD9})
# More than any encoder writes; without a limit a crafted file could be walked for long.
_JPEG_SEGMENTS_LIMIT = 4096
_BMP_CORE_HEADER_BYTES = 12
_BMP_INFO_HEADER_BYTES = 40
_WEBP_LOSSLESS_SIGNATURE = 0x2F
_SIZE_BITS_14 = 0x3FFF
_SVG_HEAD_BYTES = 65536
# The size browsers give an SVG that states none.
_SVG_DEFAULT_SIZE = (300, 150)
_SVG_TAG = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!][^>]{0,4096}>\s*){0,16}<svg(\s[^>]*|/?)>", re.IGNORECASE)
_SVG_ATTRIBUTE = re.compile(rb"""\s(width|height|viewBox)\s*=\s*["']([^"']{0,200})["']""")
_SVG_LENGTH = re.compile(rb"\s*\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*(px|pt|pc|mm|cm|in|em|ex|%)?\s*")
_SVG_PIXELS_PER_UNIT = {
    b"": 1.0,
    b"px": 1.0,
    b"pt": 96 / 72,
    b"pc": 16.0,
    b"mm": 96 / 25.4,
    b"cm": 96 / 2.54,
    b"in": 96.0,
    b"em": 16.0,
    b"ex": 8.0,
}
_VIEW_BOX_NUMBERS = 4


class PictureFormat(StrEnum):
    """The formats a picture may come in."""

    PNG = "png"
    JPEG = "jpeg"
    GIF = "gif"
    WEBP = "webp"
    BMP = "bmp"
    SVG = "svg"


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What the header says; `width` and `height` are in pixels, of an animation's whole canvas."""

    format: PictureFormat
    width: int
    height: int


def read_picture_header(data: bytes) -> PictureHeader:
    """Read format and size and check the limits; PictureRefused says what is wrong."""
    if not data:
        raise PictureRefused("the picture is empty")
    if len(data) > PICTURE_LIMIT_BYTES:
        raise PictureRefused(f"the picture has {len(data)} bytes, more than the limit of {PICTURE_LIMIT_BYTES}")
    picture_format = find_picture_format(data)
    try:
        width, height = _SIZE_READERS[picture_format](data)
    except (struct.error, IndexError):
        raise PictureRefused(f"the picture's {picture_format.upper()} header is cut short") from None
    if width < 1 or height < 1:
        raise PictureRefused(f"the picture's header says {width} x {height} pixels")
    if width * height > PICTURE_LIMIT_PIXELS:
        raise PictureRefused(
            f"the picture has {width} x {height} pixels, more than the limit of {PICTURE_LIMIT_PIXELS} in all"
        )
    # Pillow keeps a record for every row, and a single row of pixels holds no text.
    if max(width, height) > SIDE_LIMIT_PIXELS:
        raise PictureRefused(f"the picture has {width} x {height} pixels, a side of more than {SIDE_LIMIT_PIXELS}")
    return PictureHeader(picture_format, width, height)


def find_picture_format(data: bytes) -> PictureFormat:
    """Return the format by the first bytes, whatever the size; PictureRefused for any other."""
    if data.startswith(_PNG_SIGNATURE):
        return PictureFormat.PNG
    if data.startswith(_JPEG_SIGNATURE):
        return PictureFormat.JPEG
    if data.startswith(_GIF_SIGNATURES):
        return PictureFormat.GIF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return PictureFormat.WEBP
    if data.startswith(b"BM"):
        return PictureFormat.BMP
    if is_vector_picture(data):
        return PictureFormat.SVG
    raise PictureRefused("the bytes are not a PNG, JPEG, GIF, WebP, BMP or SVG picture")


def _read_png_size(data: bytes) -> tuple[int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", data, len(_PNG_SIGNATURE))
    if kind != b"IHDR" or length != struct.calcsize(">IIBBBBB"):
        raise PictureRefused("the PNG does not begin with its header chunk")
    return width, height


def _read_gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, len(_GIF_SIGNATURES[0]))
    return width, height


def _read_jpeg_size(data: bytes) -> tuple[int, int]:
    position = len(_JPEG_SIGNATURE)
    for _ in range(_JPEG_SEGMENTS_LIMIT):
        if data[position] != _JPEG_MARKER_START:
            raise PictureRefused("the JPEG's segments are damaged")
        marker = data[position + 1]
        if marker == _JPEG_MARKER_START:
            # Any number of fill bytes may stand before a marker.
            position += 1
            continue
        position += 2
        if marker in _JPEG_STANDALONE_MARKERS:
            continue
        if marker in _JPEG_SCAN_OR_END_MARKERS:
            break
        if marker in _JPEG_FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, position + 3)
            return width, height
        (length,) = struct.unpack_from(">H", data, position)
        position += max(length, 2)
    raise PictureRefused("the JPEG has no frame header before its data")


def _read_webp_size(data: bytes) -> tuple[int, int]:
    kind, payload = data[12:16], 20
    if kind == b"VP8X":
        return _read_24_bits(data, payload + 4) + 1, _read_24_bits(data, payload + 7) + 1
    if kind == b"VP8L":
        if data[payload] != _WEBP_LOSSLESS_SIGNATURE:
            raise PictureRefused("the WebP's lossless data is damaged")
        (bits,) = struct.unpack_from("<I", data, payload + 1)
        return (bits & _SIZE_BITS_14) + 1, (bits >> 14 & _SIZE_BITS_14) + 1
    if kind == b"VP8 ":
        if data[payload + 3 : payload + 6] != b"\x9d\x01\x2a":
            raise PictureRefused("the WebP's lossy data does not begin with a key frame")
        width, height = struct.unpack_from("<HH", data, payload + 6)
        return width & _SIZE_BITS_14, height & _SIZE_BITS_14
    raise PictureRefused("the WebP has no picture data first")


def _read_24_bits(data: bytes, position: int) -> int:
    low, high = struct.unpack_from("<HB", data, position)
    return int(low) | int(high) << 16


def _read_bmp_size(data: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    if header_bytes == _BMP_CORE_HEADER_BYTES:
        width, height = struct.unpack_from("<HH", data, 18)
    elif header_bytes >= _BMP_INFO_HEADER_BYTES:
        width, height = struct.unpack_from("<ii", data, 18)
    else:
        raise PictureRefused(f"a BMP header of {header_bytes} bytes is not known")
    # A negative height only says that the rows run from the top down.
    return width, abs(height)


def is_vector_picture(data: bytes) -> bool:
    """Whether the bytes are SVG, which must be drawn before it can be read."""
    return _SVG_TAG.match(data[:_SVG_HEAD_BYTES]) is not None


def _read_svg_size(data: bytes) -> tuple[int, int]:
    tag = _SVG_TAG.match(data[:_SVG_HEAD_BYTES])
    attributes = {name.lower(): value for name, value in _SVG_ATTRIBUTE.findall(tag.group(1) if tag else b"")}
    width, height = _read_svg_length(attributes.get(b"width")), _read_svg_length(attributes.get(b"height"))
    view_box = [_read_svg_length(number) for number in re.split(rb"[\s,]+", attributes.get(b"viewbox", b"").strip())]
    default_width, default_height = _SVG_DEFAULT_SIZE
    if len(view_box) == _VIEW_BOX_NUMBERS:
        default_width, default_height = view_box[2] or default_width, view_box[3] or default_height
    return width or default_width, height or default_height


def _read_svg_length(text: bytes | None) -> int | None:
    match = _SVG_LENGTH.fullmatch(text or b"")
    unit = (match.group(2) or b"") if match else b"%"
    if match is None or unit not in _SVG_PIXELS_PER_UNIT:
        return None
    return -int(-float(match.group(1)) * _SVG_PIXELS_PER_UNIT[unit] // 1)


_SIZE_READERS: dict[PictureFormat, Callable[[bytes], tuple[int, int]]] = {
    PictureFormat.PNG: _read_png_size,
    PictureFormat.JPEG: _read_jpeg_size,
    PictureFormat.GIF: _read_gif_size,
    PictureFormat.WEBP: _read_webp_size,
    PictureFormat.BMP: _read_bmp_size,
    PictureFormat.SVG: _read_svg_size,
}
