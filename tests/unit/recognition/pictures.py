"""Pictures for the tests of the decoder: drawn, encoded, and built byte by byte where no encoder would."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def draw(mode: str = "RGB", ground: object = "white", ink: object = "black") -> Image.Image:
    image = Image.new(mode, (60, 30), ground)  # type: ignore[arg-type]
    ImageDraw.Draw(image).rectangle((20, 10, 39, 19), fill=ink)  # type: ignore[arg-type]
    return image


def encode(image: Image.Image, picture_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def encode_animation(frames: list[Image.Image], picture_format: str = "GIF") -> bytes:
    return encode(frames[0], picture_format, save_all=True, append_images=frames[1:], duration=80)


def noisy(width: int = 60, height: int = 30) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8))


def make_chunk(kind: bytes, body: bytes = b"") -> bytes:
    checked = kind + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))


def make_png(*chunks: bytes, width: int = 20, height: int = 10, bits: int = 8, colour: int = 2) -> bytes:
    """A black PNG with more chunks before its pixels."""
    row_bytes = 1 + width * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] // 8
    header = make_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    pixels = make_chunk(b"IDAT", zlib.compress(b"\x00" * (row_bytes * height)))
    return b"".join([PNG_SIGNATURE, header, *chunks, pixels, make_chunk(b"IEND")])


def make_gif(*blocks: bytes, width: int = 10, height: int = 10) -> bytes:
    palette = b"\x00\x00\x00\xff\xff\xff"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\x00\x00" + palette + b"".join(blocks) + b";"


def make_gif_frame(width: int = 1, height: int = 1) -> bytes:
    """A frame with the codes of one pixel."""
    return b"\x2c\x00\x00\x00\x00" + struct.pack("<HH", width, height) + b"\x00\x02\x02\x4c\x01\x00"


def make_bmp(width: int, height: int, compression: int, pixels: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 40 + 1024) + header + bytes(1024) + pixels


SAMPLES = {
    "png": encode(draw()),
    "png-palette": encode(draw("P", 0, 1), transparency=0),
    "png-rgba": encode(draw("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))),
    "apng": encode_animation([draw(), draw(ink="red"), noisy()], "PNG"),
    "jpeg": encode(
        draw(), "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x01"
    ),
    "jpeg-progressive": encode(noisy(), "JPEG", progressive=True),
    "jpeg-cmyk": encode(draw().convert("CMYK"), "JPEG"),
    "gif": encode(noisy().convert("P"), "GIF"),
    "gif-animation": encode_animation([draw(), draw(ink="red"), noisy()]),
    "webp": encode(draw(), "WEBP"),
    "webp-lossless": encode(draw("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)), "WEBP", lossless=True),
    "webp-animation": encode_animation([draw(), draw(ink="red"), noisy()], "WEBP"),
    "bmp": encode(draw(), "BMP"),
    "bmp-run-length": make_bmp(4, 2, 1, b"\x04\x01\x00\x00\x00\x03\x01\x02\x03\x00\x01\x02\x00\x01"),
}
"""A small file of every kind that the decoder takes; what the fuzzing starts from."""
