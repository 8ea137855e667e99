"""Draws what surrounds a captcha on real pages: a logo, an avatar, a QR code, an advert."""

import random

from PIL import Image, ImageDraw, ImageFont

from captchad.sample_site.drawing import encode_png, find_font

QR_MODULES = 25
QR_MODULE_PIXELS = 5
QR_FINDER_MODULES = 7
QR_SEED = 7
AVATAR_PIXELS = 96
BLUE, SAND, INK, WHITE = "#2f5d8a", "#e9d8a6", "#1f2933", "#ffffff"


def draw_decoys() -> dict[str, bytes]:
    """Return each decoy's picture as PNG by its file name."""
    pictures = {
        "logo.png": _draw_label("Northwind", (220, 64), BLUE, 34),
        "avatar.png": _draw_avatar(),
        "qr.png": _draw_qr(),
        "advert.png": _draw_label("SALE  50% OFF", (468, 60), "#b5433a", 36),
    }
    return {name: encode_png(picture) for name, picture in pictures.items()}


def _draw_label(text: str, size: tuple[int, int], color: str, font_pixels: int) -> Image.Image:
    picture = Image.new("RGB", size, color)
    font = ImageFont.truetype(str(find_font()), font_pixels)
    ImageDraw.Draw(picture).text((size[0] / 2, size[1] / 2), text, WHITE, font, anchor="mm")
    return picture


def _draw_avatar() -> Image.Image:
    picture = Image.new("RGB", (AVATAR_PIXELS, AVATAR_PIXELS), SAND)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((30, 16, 66, 52), fill=INK)
    pen.ellipse((14, 58, 82, 126), fill=INK)
    return picture


def _draw_qr() -> Image.Image:
    """Draw what looks like a QR code and means nothing."""
    source = random.Random(QR_SEED)  # noqa: S311 - a pattern that is the same every time
    picture = Image.new("1", (QR_MODULES, QR_MODULES), 1)
    for x in range(QR_MODULES):
        for y in range(QR_MODULES):
            picture.putpixel((x, y), source.randrange(2))
    pen, far = ImageDraw.Draw(picture), QR_MODULES - QR_FINDER_MODULES
    for x, y in ((0, 0), (far, 0), (0, far)):
        pen.rectangle((x - 1, y - 1, x + QR_FINDER_MODULES, y + QR_FINDER_MODULES), fill=1)
        pen.rectangle((x, y, x + QR_FINDER_MODULES - 1, y + QR_FINDER_MODULES - 1), fill=0)
        pen.rectangle((x + 1, y + 1, x + QR_FINDER_MODULES - 2, y + QR_FINDER_MODULES - 2), fill=1)
        pen.rectangle((x + 2, y + 2, x + QR_FINDER_MODULES - 3, y + QR_FINDER_MODULES - 3), fill=0)
    side = QR_MODULES * QR_MODULE_PIXELS
    return picture.resize((side, side), Image.Resampling.NEAREST)
