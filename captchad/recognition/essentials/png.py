"""PNG and its animations: header, palette, transparency and pixels, each with its checksum verified."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from captchad.domain.errors import PictureRefused
from captchad.recognition.essentials.essentials import FRAMES_LIMIT, UPRIGHT, Essentials
from captchad.recognition.essentials.orientation import read_orientation

_SIGNATURE_BYTES = 8
_LENGTH_BYTES = 4
_CHUNK_EXTRA_BYTES = 12
_SEQUENCE_BYTES = 4
_SINGLE_KINDS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"acTL", b"eXIf"})
_PIXEL_KINDS = frozenset({b"IDAT", b"fcTL", b"fdAT"})
_KEPT_FIRST_KINDS = (b"IHDR", b"PLTE", b"tRNS")


@dataclass(slots=True)
class _Frame:
    """One picture of the file; `control` is its fcTL chunk without the sequence number, None for a still picture."""

    control: bytes | None
    pixels: list[bytes] = field(default_factory=list)


def keep_png_essentials(data: bytes) -> Essentials:
    """Join each picture's pixels to one chunk, and drop texts, profiles and frames beyond the limit."""
    single: dict[bytes, bytes] = {}
    frames: list[_Frame] = []
    default = _Frame(None)
    for kind, body in _read_chunks(data):
        if kind in _SINGLE_KINDS:
            # The first counts: a later header must not replace the one that was checked.
            single.setdefault(kind, body)
        elif kind == b"fcTL":
            if len(frames) == FRAMES_LIMIT:
                break
            frames.append(_Frame(body[_SEQUENCE_BYTES:]))
            if not default.pixels:
                default = frames[0]
        elif kind == b"IDAT":
            default.pixels.append(body)
        # fdAT begins with a sequence number of its own; without a frame before it, it belongs to nothing.
        elif frames:
            frames[-1].pixels.append(body[_SEQUENCE_BYTES:])
    kept = [
        data[:_SIGNATURE_BYTES],
        *(_write_chunk(kind, single[kind]) for kind in _KEPT_FIRST_KINDS if kind in single),
    ]
    kept += _write_frames(default, frames if b"acTL" in single else [])
    orientation = read_orientation(single[b"eXIf"]) if b"eXIf" in single else UPRIGHT
    return Essentials(b"".join([*kept, _write_chunk(b"IEND", b"")]), orientation)


def _read_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return kind and content of the chunks that are kept, up to the end of the picture."""
    position = _SIGNATURE_BYTES
    while position < len(data):
        header = data[position : position + 2 * _LENGTH_BYTES]
        if len(header) < 2 * _LENGTH_BYTES:
            raise PictureRefused("the PNG is cut short")
        length, kind = struct.unpack(">I4s", header)
        if kind == b"IEND":
            return
        end = position + length + _CHUNK_EXTRA_BYTES
        if end > len(data):
            raise PictureRefused("the PNG is cut short")
        if kind in _SINGLE_KINDS or kind in _PIXEL_KINDS:
            checked = data[position + _LENGTH_BYTES : end - _LENGTH_BYTES]
            if zlib.crc32(checked) != int.from_bytes(data[end - _LENGTH_BYTES : end], "big"):
                raise PictureRefused(f"the PNG picture is damaged: the checksum of its {kind.decode()} chunk is wrong")
            yield kind, checked[_LENGTH_BYTES:]
        position = end


def _write_frames(default: _Frame, frames: list[_Frame]) -> Iterator[bytes]:
    """Return the chunks of all pictures, numbered anew; a frame without pixels ends the animation."""
    whole = next((number for number, frame in enumerate(frames) if not frame.pixels), len(frames))
    frames = frames[:whole]
    if frames:
        yield _write_chunk(b"acTL", struct.pack(">II", len(frames), 0))
    sequence = 0
    if not frames or frames[0] is not default:
        yield _write_chunk(b"IDAT", b"".join(default.pixels))
    for frame in frames:
        yield _write_chunk(b"fcTL", struct.pack(">I", sequence) + (frame.control or b""))
        sequence += 1
        pixels = b"".join(frame.pixels)
        if frame is default:
            yield _write_chunk(b"IDAT", pixels)
        else:
            yield _write_chunk(b"fdAT", struct.pack(">I", sequence) + pixels)
            sequence += 1


def _write_chunk(kind: bytes, body: bytes) -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))
