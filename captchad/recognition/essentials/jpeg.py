"""JPEG: tables, frame and scans; of the metadata only what colours and orientation need."""

import re
import struct

from captchad.domain.errors import PictureRefused
from captchad.recognition.essentials.essentials import UPRIGHT, Essentials
from captchad.recognition.essentials.orientation import EXIF_PREFIX, read_orientation

JPEG_SCANS_LIMIT = 100
# Pillow reads segments in Python, so many tiny ones take long.
SEGMENTS_LIMIT = 4096
_START = b"\xff\xd8"
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_SCAN = 0xDA
_SCAN_MARKER = b"\xff\xda"
_LENGTH_BYTES = 2
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JFIF, _EXIF, _ADOBE = 0xE0, 0xE1, 0xEE
_COLOUR_PREFIXES = {_JFIF: b"JFIF", _ADOBE: b"Adobe"}


def keep_jpeg_essentials(data: bytes) -> Essentials:
    """Drop profiles, comments, thumbnails and further pictures; PictureRefused where there are too many scans."""
    kept, orientation, frames = [_START], UPRIGHT, 0
    position = len(_START)
    for _ in range(SEGMENTS_LIMIT):
        match = _MARKER.match(data, position)
        if match is None:
            raise PictureRefused("the JPEG's segments are damaged")
        marker, position = match.group(1)[0], match.end()
        if marker in _STANDALONE:
            continue
        if marker == _SCAN:
            kept.append(_SCAN_MARKER + data[position:])
            _check_scans(data, position)
            return Essentials(b"".join(kept), orientation)
        body, position = _read_segment(data, position)
        frames += marker in _FRAMES
        # Two frame headers could declare two sizes, of which only one was checked.
        if frames > 1:
            raise PictureRefused("the JPEG has more than one frame header")
        if _is_needed(marker, body):
            kept.append(bytes([0xFF, marker]) + struct.pack(">H", len(body) + _LENGTH_BYTES) + body)
        elif marker == _EXIF and body.startswith(EXIF_PREFIX) and orientation == UPRIGHT:
            orientation = read_orientation(body)
    raise PictureRefused(f"the JPEG has more than {SEGMENTS_LIMIT} segments before its pixels")


def _read_segment(data: bytes, position: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[position : position + _LENGTH_BYTES], "big")
    end = position + length
    if length < _LENGTH_BYTES or end > len(data):
        raise PictureRefused("the JPEG is cut short")
    return data[position + _LENGTH_BYTES : end], end


def _is_needed(marker: int, body: bytes) -> bool:
    if marker in _COLOUR_PREFIXES:
        return body.startswith(_COLOUR_PREFIXES[marker])
    return marker in _TABLES or marker in _FRAMES


def _check_scans(data: bytes, first_scan: int) -> None:
    # A small progressive JPEG may hold thousands of passes over all its pixels.
    if 1 + data.count(_SCAN_MARKER, first_scan) > JPEG_SCANS_LIMIT:
        raise PictureRefused(f"the JPEG has more than {JPEG_SCANS_LIMIT} scans")
