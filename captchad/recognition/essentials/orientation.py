"""EXIF's orientation: the one tag that changes what a person sees."""

import struct

from captchad.recognition.essentials.essentials import UPRIGHT

EXIF_PREFIX = b"Exif\x00\x00"
_ORIENTATION_TAG = 0x0112
_SHORT_TYPE = 3
_TIFF_MAGIC = 42
_ENTRY_BYTES = 12
_ENTRIES_LIMIT = 512
_KNOWN_ORIENTATIONS = range(1, 9)


def read_orientation(exif: bytes) -> int:
    """Read the orientation, 1 to 8, from EXIF data; 1 where there is none or it is invalid, as browsers do."""
    try:
        return _find_orientation(exif.removeprefix(EXIF_PREFIX))
    except struct.error:
        return UPRIGHT


def _find_orientation(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    magic, directory = struct.unpack_from(f"{order}HI", tiff, 2)
    if magic != _TIFF_MAGIC:
        return UPRIGHT
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for number in range(min(entries, _ENTRIES_LIMIT)):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, directory + 2 + _ENTRY_BYTES * number)
        if tag == _ORIENTATION_TAG:
            return value if kind == _SHORT_TYPE and value in _KNOWN_ORIENTATIONS else UPRIGHT
    return UPRIGHT
