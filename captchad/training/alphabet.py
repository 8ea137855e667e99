"""The symbols the model reads, and texts as their numbers; number 0 is the blank."""

import re
from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase, digits

from captchad.recognition.ctc import BLANK
from captchad.recognition.spelling import OWN_SPELLINGS

UNKNOWN = "\ufffd"
"""Stands for a character that is drawn and is no symbol: a letter of another script, a pictogram."""

SYMBOLS = digits + ascii_uppercase + ascii_lowercase + "+-×/÷=?" + " .@#$%&*!" + UNKNOWN

_SUM = re.compile(r"(?=.*([-+−–×*÷:/=?]|\d\s*[xX]\s*\d))[-\s\d+−–×xX*÷:/=?]+")
"""A text of digits and signs alone. Its spaces mean nothing, and its `*` and `:` are operators."""

_NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS, start=1)}


def spell_plainly(text: str) -> str:
    """Return a text as the model is to read it: each sign in its one spelling, spaces only between words."""
    spaced = "" if _SUM.fullmatch(text) else " "
    spelled = spaced.join(text.split())
    return "".join(_spell(character, is_sum=not spaced) for character in spelled)


def _spell(character: str, *, is_sum: bool) -> str:
    return character if character in _NUMBERS and not is_sum else OWN_SPELLINGS.get(character, character)


def encode(text: str) -> tuple[int, ...]:
    """Return a text's symbol numbers; ValueError where it holds a character that is no symbol."""
    try:
        return tuple(_NUMBERS[character] for character in spell_plainly(text))
    except KeyError as error:
        raise ValueError(f"{text!r} holds {error}, which is not in the alphabet") from None


def decode(numbers: Iterable[int]) -> str:
    """Spell symbol numbers, skipping blanks."""
    return "".join(SYMBOLS[number - 1] for number in numbers if number != BLANK)


def collapse(path: Iterable[int]) -> tuple[int, ...]:
    """Return the symbol numbers of one CTC path: repeats made one, then blanks dropped."""
    kept: list[int] = []
    last = BLANK
    for number in path:
        if number not in (last, BLANK):
            kept.append(number)
        last = number
    return tuple(kept)
