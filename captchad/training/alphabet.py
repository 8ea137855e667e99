"""The symbols the model reads, and texts as their numbers; number 0 is the blank."""

from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase, digits

from captchad.recognition.ctc import BLANK
from captchad.recognition.spelling import OWN_SPELLINGS

SYMBOLS = digits + ascii_uppercase + ascii_lowercase + "+-×/÷=?"

_NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS, start=1)}


def spell_plainly(text: str) -> str:
    """Return a text as the model is to read it: without spaces, each sign in its one spelling."""
    return "".join(OWN_SPELLINGS.get(character, character) for character in text if not character.isspace())


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
