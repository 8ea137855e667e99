"""The fonts at hand: those of pip packages, of the system's font folders and of those that the environment names.

docs/fonts.md lists packages of npm and Debian that give a good variety, all free.
"""

import importlib.util
import logging
import os
from functools import cache, lru_cache
from pathlib import Path
from string import ascii_letters, digits

import numpy as np
from PIL import Image, ImageFont

LOGGER = logging.getLogger(__name__)

FONTS_VARIABLE = "CAPTCHAD_FONTS_PATH"
"""Names further folders of fonts, as PATH names folders."""

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
)
_PACKAGES = ("captcha", "matplotlib", "multicolorcaptcha", "gvcode", "flask_simple_captcha")
_SUFFIXES = frozenset({".ttf", ".otf", ".woff2"})
_UNFIT = (
    "symbol",
    "dingbat",
    "emoji",
    "math",
    "glyphicons",
    "d050000l",
    "upper",
    "icon",
    "csur",
    "isabella",
    "kristi",
    "monofett",
    "hairline",
    "windsong",
    "clayborn",
)
_TRIAL_PIXELS = 32
_TRIAL_BOX = (16, 16)
_ALIKE = 0.93
_MISSING = "\U0010fff0"
_CASE_LETTERS = "aegrnbd"
_CACHED_FONTS = 600


@cache
def list_fonts() -> tuple[Path, ...]:
    """List the files of fonts that have all letters and digits, always in the same order."""
    found = _find_files(_SUFFIXES)
    fit = tuple(path for path in found if has_characters(path, ascii_letters + digits))
    LOGGER.info("%d fonts of %d files are fit to draw captchas", len(fit), len(found))
    if not fit:
        raise ValueError("no fonts were found; Debian's fonts-dejavu-core would do")
    return fit


@cache
def list_fonts_with(characters: str) -> tuple[Path, ...]:
    """List the files of fonts that have all of the characters, collections too, always in the same order."""
    return tuple(path for path in _find_files(_SUFFIXES | {".ttc"}) if has_characters(path, characters))


@lru_cache(_CACHED_FONTS)
def load_font(path: Path, size_pixels: int) -> ImageFont.FreeTypeFont:
    """Load a font at a size."""
    return ImageFont.truetype(str(path), size_pixels)


@cache
def has_characters(path: Path, characters: str) -> bool:
    """Tell whether a font has its own shape for every one of the characters."""
    try:
        font = load_font(path, _TRIAL_PIXELS)
        missing = bytes(font.getmask(_MISSING))
        shapes = [bytes(font.getmask(character)) for character in characters]
    except (OSError, ValueError):
        return False
    return all(any(shape) and shape != missing for shape in shapes)


@cache
def has_lower_case(path: Path) -> bool:
    """Tell whether a font's lower case letters differ from its capitals in more than size."""
    alike = [_compare(path, letter, letter.upper()) > _ALIKE for letter in _CASE_LETTERS]
    return sum(alike) <= len(alike) // 3


def _compare(path: Path, one: str, other: str) -> float:
    font = load_font(path, _TRIAL_PIXELS)
    shapes = []
    for character in (one, other):
        mask = font.getmask(character, "L")
        image = Image.frombytes("L", mask.size, bytes(mask))
        shapes.append(np.asarray(image.resize(_TRIAL_BOX), dtype=float).ravel())
    return float(np.corrcoef(shapes[0], shapes[1])[0, 1])


def list_folders() -> list[Path]:
    """List the folders that fonts are looked for in."""
    specs = [importlib.util.find_spec(name) for name in _PACKAGES]
    packaged = [Path(place) for spec in specs if spec is not None for place in spec.submodule_search_locations or ()]
    named = [Path(place) for place in os.environ.get(FONTS_VARIABLE, "").split(os.pathsep) if place]
    return [folder for folder in (*packaged, *FOLDERS, *named) if folder.is_dir()]


def _find_files(suffixes: frozenset[str]) -> list[Path]:
    files = {path for folder in list_folders() for path in folder.rglob("*") if path.suffix.lower() in suffixes}
    return sorted(path for path in files if not any(unfit in path.name.lower() for unfit in _UNFIT))
