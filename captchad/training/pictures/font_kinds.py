"""Fonts by their kind, told by the names of their files."""

import random
from functools import cache
from pathlib import Path
from typing import Literal

from captchad.training.pictures.fonts import has_characters, has_lower_case, list_fonts
from captchad.training.pictures.lettering import choose_fonts

Kind = Literal["sans", "bold", "serif", "mono", "funny", "narrow", "bold italic", "built in"]

KINDS: dict[Kind, tuple[str, ...]] = {
    "sans": (
        "liberationsans-",
        "dejavusans-",
        "dejavusans.",
        "freesans",
        "nimbussans-",
        "roboto-",
        "opensans-",
        "lato-",
    ),
    "bold": ("liberationsans-bold", "dejavusans-bold", "freesansbold", "nimbussans-bold", "roboto-b", "opensans-ext"),
    "serif": ("liberationserif", "freeserif", "nimbusroman", "dejavuserif", "caladea", "c059", "p052", "ebgaramond"),
    "mono": (
        "liberationmono",
        "freemono",
        "courier prime",
        "dejavusansmono",
        "nimbusmono",
        "hack",
        "anonymous",
        "inconsol",
    ),
    "funny": ("comic", "tomson", "lobster", "rufscript", "fantasque"),
    "narrow": ("narrow", "condensed", "bebas", "dosis"),
    "bold italic": ("boldoblique", "bolditalic", "bold-italic"),
    "built in": ("unifont", "3270-", "dejavusansmono", "hack"),
}
"""What the file of a font of each kind has in its name; built in are those like what drawing libraries bring along."""

_THIN = ("thin", "light", "ecolier", "dancing", "z003")


def choose_kind(source: random.Random, text: str, *kinds: Kind, count: int = 1) -> tuple[Path, ...]:
    """Choose fonts of the kinds that have a text's characters; any fonts where none of the kinds is at hand."""
    # Asked for one by one, few answers have to be found out.
    signs = sorted({character for character in text if not character.isalnum() and character != " "})
    has_lower = any(map(str.islower, text))
    fit = [
        font
        for font in _list_kinds(kinds)
        if all(has_characters(font, sign) for sign in signs) and (not has_lower or has_lower_case(font))
    ]
    return tuple(source.choice(fit) for _ in range(count)) if fit else choose_fonts(source, text)


@cache
def _list_kinds(kinds: tuple[Kind, ...]) -> tuple[Path, ...]:
    names = tuple(name for kind in kinds for name in KINDS[kind])
    # Hairlines would vanish behind what these designs draw across.
    return tuple(
        font
        for font in list_fonts()
        if any(name in font.name.lower() for name in names) and not any(thin in font.name.lower() for thin in _THIN)
    )
