"""Families of pictures of wide alphabets, in the styles of the synthetic ones."""

import logging
import random
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import ascii_letters, digits

from captchad.domain.charsets import ARABIC_DIGITS, CYRILLIC, PERSIAN_DIGITS, list_chinese
from captchad.training.pictures.fonts import has_characters, list_folders, list_fonts
from captchad.training.pictures.lettering import Lettering, draw_lettering
from captchad.training.pictures.source import FamilyUnavailable
from captchad.training.pictures.synthetic import draw_picture
from captchad.training.pictures.wide_texts import TEXTS, Script, WideText
from captchad.training.sample import Sample

LOGGER = logging.getLogger(__name__)

_SUFFIXES = {".ttf", ".ttc", ".otf", ".woff2"}
_SCRIPT_SAMPLES: Mapping[Script, str] = {
    Script.CHINESE: "".join(list_chinese()[::60]),
    Script.CYRILLIC: CYRILLIC + digits,
    Script.ARABIC: PERSIAN_DIGITS + ARABIC_DIGITS,
    Script.LATIN: ascii_letters + digits + "@#$%&*!?^+=-",
}
_HEIGHT_LEAST_PIXELS = 30
_CHINESE_CUT_CHANCE = 0.15
_FONT_TRIES = 40
_FONT_PARTS = 6


class Division(StrEnum):
    """Which of a script's fonts draw: no font that judges has been learned from or calibrated with."""

    LEARN = "learn"
    CALIBRATE = "calibrate"
    JUDGE = "judge"


@dataclass(frozen=True, slots=True)
class WideFamily:
    """Texts of one wide alphabet, written with the fonts of one division."""

    name: str
    division: Division = Division.LEARN

    def draw(self, source: random.Random) -> Sample:
        """Draw one picture."""
        draw_shown, _ = TEXTS[self.name]
        shown = draw_shown(source)
        fonts = choose_wide_fonts(source, shown, self.division)

        def letter(drawn: random.Random, text: str, size_pixels: int) -> Lettering:
            return _keep_legible(draw_lettering(drawn, text, size_pixels, fonts), shown.script, drawn)

        return Sample(draw_picture(shown.drawn, source, letter, _HEIGHT_LEAST_PIXELS), shown.drawn, self.name)


def choose_wide_fonts(source: random.Random, shown: WideText, division: Division) -> tuple[Path, ...]:
    """Choose one font of the division, now and then a few, that have all characters of the text."""
    wanted = source.choice((1, 1, 1, 2, 4))
    characters = "".join(sorted(set(shown.drawn)))
    fonts: list[Path] = []
    for _ in range(_FONT_TRIES):
        font = source.choice(list_script_fonts(shown.script, division))
        if has_characters.__wrapped__(font, characters):
            fonts.append(font)
        if len(fonts) == wanted:
            break
    if not fonts:
        raise FamilyUnavailable(f"no font has all of {shown.drawn!r}")
    return tuple(fonts)


@cache
def list_script_fonts(script: Script, division: Division) -> Sequence[Path]:
    """List a division's fonts of a script; FamilyUnavailable where there are too few to divide."""
    if script is Script.LATIN:
        found = [font for font in list_fonts() if has_characters(font, _SCRIPT_SAMPLES[script])]
    else:
        paths = {path for folder in list_folders() for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES}
        found = [path for path in sorted(paths) if has_characters(path, _SCRIPT_SAMPLES[script])]
    # Weights and cuts of one design stay together: else a judge would know the design already.
    designs = sorted({_name_design(path) for path in found}, key=lambda design: zlib.crc32(design.encode()))
    if len(designs) < _FONT_PARTS:
        raise FamilyUnavailable(f"{len(designs)} fonts of {script} are too few")
    place = {design: number % _FONT_PARTS for number, design in enumerate(designs)}
    chosen = [path for path in found if _divide(place[_name_design(path)]) is division]
    LOGGER.info("%d fonts of %s to %s", len(chosen), script, division)
    return chosen


def _name_design(path: Path) -> str:
    return path.stem.lower().split("-")[0].rstrip("0123456789")


def _divide(place: int) -> Division:
    return {0: Division.JUDGE, 1: Division.CALIBRATE}.get(place, Division.LEARN)


def _keep_legible(lettering: Lettering, script: Script, source: random.Random) -> Lettering:
    """Spare Chinese characters, whose strokes are thin and close, most of what Latin letters bear."""
    if script is not Script.CHINESE:
        return replace(lettering, bitmap_rows=0)
    cuts = lettering.cuts if source.random() < _CHINESE_CUT_CHANCE else ()
    return replace(lettering, bitmap_rows=0, cuts=cuts, stroke_pixels=min(lettering.stroke_pixels, 1))
