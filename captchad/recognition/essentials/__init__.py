"""Strips a picture's file to what its pixels need, before a decoder sees it.

Pillow reads metadata in Python, block by block, and unpacks some of it; a crafted file costs seconds and
hundreds of megabytes. Here blocks are only skipped, in time linear in the file's size.
"""

from captchad.domain.picture import PictureFormat
from captchad.recognition.essentials.bmp import keep_bmp_essentials
from captchad.recognition.essentials.essentials import Essentials
from captchad.recognition.essentials.gif import keep_gif_essentials
from captchad.recognition.essentials.jpeg import keep_jpeg_essentials
from captchad.recognition.essentials.png import keep_png_essentials
from captchad.recognition.essentials.webp import keep_webp_essentials

_READERS = {
    PictureFormat.PNG: keep_png_essentials,
    PictureFormat.JPEG: keep_jpeg_essentials,
    PictureFormat.GIF: keep_gif_essentials,
    PictureFormat.WEBP: keep_webp_essentials,
    PictureFormat.BMP: keep_bmp_essentials,
}


def keep_essentials(picture_format: PictureFormat, data: bytes) -> Essentials:
    """Leave out all but pixels, palette and animation; PictureRefused where the file is cut short or damaged."""
    return _READERS[picture_format](data)


__all__ = ["Essentials", "keep_essentials"]
