"""BMP: little beside pixels, but run-length coding can expand few bytes to many pixels."""

import struct

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import read_picture_header
from captchad.recognition.essentials.essentials import Essentials

RUN_LENGTH_LIMIT_PIXELS = 1_000_000
RUN_LENGTH_LIMIT_WIDTH = 4096
_HEADER_LENGTH_POSITION = 14
_COMPRESSION_POSITION = 30
_CORE_HEADER_BYTES = 12
_RUN_LENGTH_KINDS = frozenset({1, 2})


def keep_bmp_essentials(data: bytes) -> Essentials:
    """Return the file as it is; PictureRefused where its pixels are run-length coded and more than any captcha's."""
    (header_bytes,) = struct.unpack_from("<I", data, _HEADER_LENGTH_POSITION)
    if header_bytes == _CORE_HEADER_BYTES:
        return Essentials(data)
    try:
        (compression,) = struct.unpack_from("<I", data, _COMPRESSION_POSITION)
    except struct.error:
        raise PictureRefused("the BMP is cut short") from None
    size = read_picture_header(data)
    # Pillow unpacks these in Python, and a single skip code can span 255 rows.
    if compression in _RUN_LENGTH_KINDS and (
        size.width > RUN_LENGTH_LIMIT_WIDTH or size.width * size.height > RUN_LENGTH_LIMIT_PIXELS
    ):
        raise PictureRefused(f"a run-length coded BMP of {size.width} x {size.height} pixels is not read")
    return Essentials(data)
