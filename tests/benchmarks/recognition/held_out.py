"""Generators that no recipe may train on, so that what a model reads of them is what it reads of an unknown site.

`pip install --no-deps generate-captcha` brings them; what is missing is left out.
"""

import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

from PIL import Image

from captchad.training.pictures.defaults import is_default
from captchad.training.pictures.lettering import choose_fonts
from captchad.training.pictures.pypi_package import Drawn, Package, PackageFamily
from captchad.training.pictures.source import Family, FamilyUnavailable

_SIZES_PIXELS = (20, 30)


def _draw_generate(package: ModuleType, source: random.Random) -> Drawn:
    characters = package.NUMBERS if is_default(source) else package.NUMBERS + package.CAPITAL_LETTERS
    [font, *_] = choose_fonts(source, characters)
    marks = {name: source.random() < 0.5 for name in ("draw_lines", "draw_points")}
    with tempfile.TemporaryDirectory() as folder:
        text, path = package.gen_captcha_text_image(
            folder, chars=characters, font_type=str(font), font_size=source.randint(*_SIZES_PIXELS), **marks
        )
        return _load(Path(path)), text


def _load(path: Path) -> Image.Image:
    with Image.open(path) as drawn:
        drawn.load()
        return drawn


_PACKAGES = {
    "generate-captcha": Package("generate_captcha.generate_captcha", _draw_generate, is_for_old_pillow=True),
}
HELD_OUT: dict[str, Callable[[], Family]] = {
    name: partial(PackageFamily, name, package) for name, package in _PACKAGES.items()
}
"""How to make each family, by name."""


def load_held_out() -> tuple[list[Family], list[str]]:
    """Make those that are installed, and name the others."""
    families, missing = [], []
    for name, make in HELD_OUT.items():
        try:
            families.append(make())
        except (ImportError, FamilyUnavailable):
            missing.append(name)
    return families, missing
