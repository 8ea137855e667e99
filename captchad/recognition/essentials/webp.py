"""WebP: its library skips metadata quickly, so only the orientation is looked for."""

import struct

from captchad.domain.errors import PictureRefused
from captchad.recognition.essentials.essentials import UPRIGHT, Essentials
from captchad.recognition.essentials.orientation import read_orientation

CHUNKS_LIMIT = 4096
_HEADER_BYTES = 12
_CHUNK_HEADER = struct.Struct("<4sI")


def keep_webp_essentials(data: bytes) -> Essentials:
    """Find the orientation among the chunks; PictureRefused where there are more than any encoder writes."""
    position = _HEADER_BYTES
    for _ in range(CHUNKS_LIMIT):
        if position + _CHUNK_HEADER.size > len(data):
            return Essentials(data, UPRIGHT)
        kind, length = _CHUNK_HEADER.unpack_from(data, position)
        position += _CHUNK_HEADER.size
        if kind == b"EXIF":
            return Essentials(data, read_orientation(data[position : position + length]))
        # Chunks are padded to an even length.
        position += length + length % 2
    raise PictureRefused(f"the WebP has more than {CHUNKS_LIMIT} chunks")
