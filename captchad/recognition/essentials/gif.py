"""GIF: palettes, frames and their control blocks; comments and other extensions are dropped."""

import struct
from dataclasses import dataclass

from captchad.domain.errors import PictureRefused
from captchad.domain.picture import PICTURE_LIMIT_PIXELS, SIDE_LIMIT_PIXELS
from captchad.recognition.essentials.essentials import FRAMES_LIMIT, Essentials

_HEADER_BYTES = 13
_SIGNATURE_BYTES = 6
_SIZE_END = 10
_FLAGS_POSITION = 10
_HAS_PALETTE = 0x80
_PALETTE_SIZE_BITS = 0x07
_PALETTE_ENTRY_BYTES = 3
_PADDING, _EXTENSION, _FRAME, _TRAILER = 0x00, 0x21, 0x2C, 0x3B
_CONTROL_LABEL = 0xF9
_CONTROL_BYTES = 8
_DESCRIPTOR_BYTES = 10


@dataclass(slots=True)
class _Walk:
    """How far the file was read, and what of it is kept."""

    data: bytes
    position: int
    width: int
    height: int
    kept: list[bytes]
    frames: int = 0

    def step_over_frame(self) -> None:
        start = self.position
        left, top, width, height, flags = struct.unpack_from("<HHHHB", self.data, start + 1)
        # Frames may reach beyond the canvas that the header declares.
        self.width, self.height = max(self.width, left + width), max(self.height, top + height)
        is_too_long = max(self.width, self.height) > SIDE_LIMIT_PIXELS
        if is_too_long or self.width * self.height > PICTURE_LIMIT_PIXELS:
            raise PictureRefused(f"a frame of the GIF reaches to {left + width} x {top + height} pixels")
        # One byte before the blocks says how wide the codes are.
        self.position = _skip_blocks(self.data, start + _DESCRIPTOR_BYTES + _palette_bytes(flags) + 1)
        self.kept.append(self.data[start : self.position])
        self.frames += 1

    def step_over_extension(self) -> None:
        start = self.position
        self.position = _skip_blocks(self.data, start + 2)
        if self.data[start + 1] == _CONTROL_LABEL and self.position - start == _CONTROL_BYTES:
            self.kept.append(self.data[start : self.position])


def keep_gif_essentials(data: bytes) -> Essentials:
    """Keep the first frames, on a canvas that holds all of them, and nothing but them."""
    try:
        flags = data[_FLAGS_POSITION]
        begin = _HEADER_BYTES + (_palette_bytes(flags))
        width, height = struct.unpack_from("<HH", data, _SIGNATURE_BYTES)
        walk = _Walk(data, begin, width, height, [])
        _walk_blocks(walk)
    except (IndexError, struct.error):
        raise PictureRefused("the GIF is cut short") from None
    if walk.frames == 0:
        raise PictureRefused("the GIF has no frame")
    size = struct.pack("<HH", walk.width, walk.height)
    return Essentials(b"".join([data[:_SIGNATURE_BYTES], size, data[_SIZE_END:begin], *walk.kept, bytes([_TRAILER])]))


def _walk_blocks(walk: _Walk) -> None:
    while walk.frames < FRAMES_LIMIT and walk.position < len(walk.data):
        kind = walk.data[walk.position]
        if kind == _FRAME:
            walk.step_over_frame()
        elif kind == _EXTENSION:
            walk.step_over_extension()
        elif kind == _TRAILER:
            return
        elif kind == _PADDING:
            walk.position += 1
        else:
            raise PictureRefused("the GIF's blocks are damaged")


def _palette_bytes(flags: int) -> int:
    return _PALETTE_ENTRY_BYTES << ((flags & _PALETTE_SIZE_BITS) + 1) if flags & _HAS_PALETTE else 0


def _skip_blocks(data: bytes, position: int) -> int:
    """Return the position behind a chain of blocks, each of which begins with its length, the last of length 0."""
    while data[position]:
        position += data[position] + 1
    return position + 1
