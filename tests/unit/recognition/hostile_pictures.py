"""Files made to cost a decoder time or memory, each as large as a picture may be or as small as its bomb can."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from captchad.domain.picture import PICTURE_LIMIT_BYTES
from tests.unit.recognition.pictures import (
    draw,
    encode,
    encode_animation,
    make_bmp,
    make_chunk,
    make_gif,
    make_gif_frame,
    make_png,
    noisy,
)

SIDE = 2000
TEXT_BOMB = b"k\x00\x00" + zlib.compress(bytes(1_000_000), 9)
PROFILE_BOMB = b"k\x00\x00" + zlib.compress(bytes(100_000_000), 9)
CONTROL_DISPOSE = b"\x21\xf9\x04\x08\x00\x00\x00\x00"
EXIF_SEGMENT = b"\xff\xe1\x00\x0aExif\x00\x00aa"


def fill(unit: bytes, overhead_bytes: int = 4096) -> bytes:
    """Repeat until a picture is as large as it may be."""
    return unit * ((PICTURE_LIMIT_BYTES - overhead_bytes) // len(unit))


def split_jpeg(image: Image.Image, **options: object) -> tuple[bytes, bytes]:
    """Return a JPEG's head, and its scans without the end."""
    data = encode(image, "JPEG", **options)
    scan = data.index(b"\xff\xda")
    return data[:scan], data[scan:-2]


def repeat_scans(count: int) -> bytes:
    head, scans = split_jpeg(Image.new("RGB", (SIDE, SIDE)), progressive=True)
    last = scans[scans.rindex(b"\xff\xda") :]
    return head + scans + last * (count - scans.count(b"\xff\xda")) + b"\xff\xd9"


def before_scan(segments: bytes) -> bytes:
    head, scans = split_jpeg(draw())
    return head + segments + scans + b"\xff\xd9"


def specks(*, is_transparent: bool) -> list[Image.Image]:
    random = np.random.default_rng(5)
    planes = [(random.random((SIDE, SIDE)) > 0.999).astype(np.uint8) * 255 for _ in range(3)]
    return [Image.fromarray(np.dstack([plane] * 4) if is_transparent else plane) for plane in planes]


def lossless_webp_noise() -> bytes:
    return encode(noisy(800, 800), "WEBP", lossless=True)


def full_palette_indices_out_of_range() -> bytes:
    palette = make_chunk(b"PLTE", bytes(3))
    pixels = zlib.compress((b"\x00" + b"\xff" * 20) * 10)
    header = make_chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 10, 8, 3, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + palette + make_chunk(b"IDAT", pixels) + make_chunk(b"IEND")


def still(mode: str, picture_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (SIDE, SIDE)).save(buffer, picture_format)
    return buffer.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "png of text bombs": lambda: make_png(fill(make_chunk(b"zTXt", TEXT_BOMB))),
    "png with a profile bomb": lambda: make_png(make_chunk(b"iCCP", PROFILE_BOMB)),
    "png with a pixel bomb": lambda: make_png(make_chunk(b"IDAT", zlib.compress(bytes(1_000_000_000), 1)[:1_900_000])),
    "png of empty chunks": lambda: make_png(fill(make_chunk(b"ruBb"))),
    "png of empty pixel chunks": lambda: make_png(fill(make_chunk(b"IDAT"))),
    "png of palettes": lambda: make_png(fill(make_chunk(b"PLTE", bytes(3)))),
    "png with indices out of its palette": full_palette_indices_out_of_range,
    "png of 16 bits and four channels": lambda: make_png(width=SIDE, height=SIDE, bits=16, colour=6),
    "png of 16 bits": lambda: make_png(width=SIDE, height=SIDE, bits=16, colour=0),
    "png of layers": lambda: still("RGBA", "PNG"),
    "png 16,384 high": lambda: encode(Image.new("RGBA", (244, 16_384)), "PNG"),
    "png one pixel wide": lambda: make_png(width=1, height=4_000_000, colour=6),
    "animated png": lambda: encode_animation(specks(is_transparent=True), "PNG"),
    "jpeg of 100 scans": lambda: repeat_scans(100),
    "jpeg of 3,000 scans": lambda: repeat_scans(3000),
    "jpeg of fill bytes": lambda: before_scan(fill(b"\xff")),
    "jpeg of orientations": lambda: before_scan(fill(EXIF_SEGMENT)),
    "jpeg of empty tables": lambda: before_scan(fill(b"\xff\xdb\x00\x02")),
    "jpeg with two headers": lambda: before_scan(b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(9)),
    "jpeg of four inks": lambda: still("CMYK", "JPEG"),
    "gif of 100,000 frames": lambda: make_gif(make_gif_frame() * 100_000),
    "gif with a giant second frame": lambda: make_gif(
        make_gif_frame(), CONTROL_DISPOSE, make_gif_frame(13_000, 13_000), make_gif_frame()
    ),
    "gif with a frame far to the right": lambda: make_gif(
        b"\x2c\xff\xff\x00\x00\x05\x00\x01\x00\x00\x02\x02\x4c\x01\x00"
    ),
    "gif that grows": lambda: make_gif(make_gif_frame(), (CONTROL_DISPOSE + make_gif_frame(SIDE, SIDE)) * 30),
    "gif with a comment of tiny blocks": lambda: make_gif(b"\x21\xfe" + fill(b"\x01a") + b"\x00", make_gif_frame()),
    "gif with a comment of long blocks": lambda: make_gif(
        b"\x21\xfe" + fill(b"\xff" + bytes(255)) + b"\x00", make_gif_frame()
    ),
    "gif of tiny blocks": lambda: make_gif(
        b"\x2c\x00\x00\x00\x00\x0a\x00\x0a\x00\x00\x02" + fill(b"\x01\x4c") + b"\x00"
    ),
    "gif of extensions": lambda: make_gif(fill(b"\x21\x01\x00"), make_gif_frame()),
    "animated gif": lambda: encode_animation(specks(is_transparent=False), "GIF"),
    "webp of chunks": lambda: encode(draw(), "WEBP") + fill(b"JUNK\x00\x00\x00\x00"),
    "webp of layers": lambda: encode(Image.new("RGBA", (SIDE, SIDE)), "WEBP", lossless=True),
    "webp of noise": lossless_webp_noise,
    "animated webp": lambda: encode_animation(specks(is_transparent=True), "WEBP"),
    "bmp with a skip of 255 rows": lambda: make_bmp(16_000, 240, 1, b"\x00\x02\x00\xff"),
    "bmp of line ends": lambda: make_bmp(1000, 1000, 1, fill(b"\x00\x00")),
    "bmp of runs of one": lambda: make_bmp(1000, 1000, 1, fill(b"\x01\x01")),
    "bmp of skips to nowhere": lambda: make_bmp(1000, 1000, 1, fill(b"\x00\x02\x00\x00")),
    "bmp of tiny copies": lambda: make_bmp(1000, 1000, 1, fill(b"\x00\x03aaa\x00")),
    "bmp of bytes": lambda: make_bmp(SIDE, 1000, 0, bytes(2_000_000)),
}
