"""Draws the captcha pictures with a published generator."""

import importlib.util
import io
import secrets
from pathlib import Path

from PIL import Image
from wheezy.captcha import image as generator

from captchad.domain.errors import DependencyMissing
from captchad.runtime.extras import Extra, install_command

ALPHABET = "abcdefhkmnprstuvwxyz234578"
"""Letters and digits that people can distinguish."""

TEXT_LENGTH = 4
WIDTH_PIXELS, HEIGHT_PIXELS = 200, 75
FONT_PACKAGE = "captcha"
FONT_PLACE = "data/DroidSansMono.ttf"


def pick_text(alphabet: str = ALPHABET, length: int = TEXT_LENGTH) -> str:
    """Return a new random text."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def find_font() -> Path:
    """Return a font of an installed package, without importing it."""
    spec = importlib.util.find_spec(FONT_PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        font = Path(folder) / FONT_PLACE
        if font.exists():
            return font
    raise DependencyMissing(f"the font of the package {FONT_PACKAGE} is missing: {install_command(Extra.DEMO)}")


class Artist:
    """Draws texts as distorted pictures."""

    def __init__(self) -> None:
        letters = generator.text(
            fonts=[str(find_font())], drawings=[generator.warp(), generator.rotate(), generator.offset()]
        )
        self._draw = generator.captcha(
            width=WIDTH_PIXELS,
            height=HEIGHT_PIXELS,
            drawings=[generator.background(), letters, generator.curve(), generator.noise(), generator.smooth()],
        )

    def draw(self, text: str) -> bytes:
        """Return the picture of `text` as PNG."""
        picture: Image.Image = self._draw(text)
        return encode_png(picture)


def encode_png(picture: Image.Image) -> bytes:
    """Return a picture as PNG; nothing but its pixels is stored in it."""
    # No text chunk may give the answer away.
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
