"""The texts that captchas show: characters of one alphabet, made-up words, groups, signs, and arithmetic."""

import random
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

LENGTH_LEAST, LENGTH_MOST = 1, 12

CLEAR_UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CLEAR_LOWER = "abcdefghjkmnpqrstuvwxyz23456789"
CLEAR_MIXED = "ABDEFGHJLMNQRTYabdefghijmnqrt23456789"
CHARSETS = {
    ascii_uppercase + digits: 8,
    CLEAR_UPPER: 6,
    ascii_lowercase + digits: 7,
    CLEAR_LOWER: 4,
    digits: 7,
    ascii_uppercase: 5,
    ascii_lowercase: 5,
    # Where c and C differ by size alone, nobody can tell; few captchas ask for it.
    ascii_uppercase + ascii_lowercase: 1,
    ascii_uppercase + ascii_lowercase + digits: 2,
    CLEAR_MIXED: 4,
    "0123456789abcdef": 1,
}
UPPER_CHARSETS = {ascii_uppercase + digits: 4, CLEAR_UPPER: 3, digits: 3, ascii_uppercase: 3}
_LENGTHS = {1: 1, 2: 1, 3: 3, 4: 12, 5: 12, 6: 12, 7: 4, 8: 3, 9: 1, 10: 1, 11: 0.5, 12: 0.5}
_WORD_CHANCE = 0.25
_SYLLABLES = ("cv", "cv", "cvc", "cvc", "vc", "ccv", "cvv", "v", "cvcc")
_VOWELS, _CONSONANTS = "aaeeeiioou", "bcdfghjklmnpqrrsstttvwxyz"
_SEPARATORS = "  --."
SIGNS = "@#$%&*!?+=-."
_SPELLINGS = {"×": "×××xX*", "÷": "÷÷/:", "-": "---−–"}
_ENDINGS = ("=", "=?", "", "?")
_ENDING_WEIGHTS = (6, 6, 3, 1)


@dataclass(frozen=True, slots=True)
class ShownText:
    """What is drawn (with spaces, signs as this picture spells them) and what is to be read of it."""

    drawn: str
    text: str


def draw_text(
    source: random.Random,
    charsets: dict[str, int] | None = None,
    shortest: int = LENGTH_LEAST,
    longest: int = LENGTH_MOST,
) -> ShownText:
    """Draw the text of a plain captcha; 4 to 6 characters most of the time."""
    lengths = [length for length in _LENGTHS if shortest <= length <= longest]
    [length] = source.choices(lengths, [_LENGTHS[length] for length in lengths])
    known = charsets or CHARSETS
    [charset] = source.choices(list(known), list(known.values()))
    if charset.isalpha() and source.random() < _WORD_CHANCE:
        text = _draw_word(source, length)
        text = text.upper() if charset.isupper() else text
    else:
        text = "".join(source.choices(charset, k=length))
    return ShownText(text, text)


def _draw_word(source: random.Random, length: int) -> str:
    """Make up a word that can be pronounced."""
    letters = ""
    while len(letters) < length:
        kinds = source.choice(_SYLLABLES)
        letters += "".join(source.choice(_VOWELS if kind == "v" else _CONSONANTS) for kind in kinds)
    return letters[:length]


def draw_groups(source: random.Random) -> ShownText:
    """Draw two or three groups with a space, a hyphen or a dot between them: `stone table`, `ABC-123`, `12.5`."""
    [charset] = source.choices(list(CHARSETS), list(CHARSETS.values()))
    count = source.choice((2, 2, 2, 3))
    lengths = [source.randint(1, 6 if count == 2 else 4) for _ in range(count)]
    groups = []
    for length in lengths:
        is_word = source.random() < 0.4
        group = _draw_word(source, length) if is_word else "".join(source.choices(charset, k=length))
        groups.append(group.upper() if is_word and charset.isupper() else group)
    text = source.choice(_SEPARATORS).join(groups)
    return ShownText(text, text)


def draw_with_signs(source: random.Random) -> ShownText:
    """Draw letters and digits with some signs among them: `4hGP#%`."""
    [charset] = source.choices(list(CHARSETS), list(CHARSETS.values()))
    length = source.randint(3, 8)
    text = "".join(source.choice(SIGNS if source.random() < 0.3 else charset) for _ in range(length))
    return ShownText(text, text)


def draw_arithmetic(source: random.Random) -> ShownText:
    """Draw an expression: `3+5=?`, `12 - 4 =`, `7x6`; a multiplication sign is read as ×, a colon between numbers as ÷.

    A slash stays a slash: pictures can tell it from ÷, and both divide.
    """
    operator = source.choice("++---××÷")
    numbers = [_draw_number(source) for _ in range(2)]
    spelling = source.choice(_SPELLINGS.get(operator, operator))
    read = "/" if spelling == "/" else operator
    ending = source.choices(_ENDINGS, _ENDING_WEIGHTS)[0]
    parts = [numbers[0], spelling, numbers[1], *ending]
    third = source.random() < _THIRD_CHANCE
    if third:
        parts[3:3] = [source.choice("+-"), _draw_number(source)[-1]]
    drawn = source.choice(("", "", " ")).join(parts)
    text = "".join([parts[0], read, *parts[2:]])
    return ShownText(drawn, text) if len(text) <= LENGTH_MOST else draw_arithmetic(source)


_THIRD_CHANCE = 0.05


def _draw_number(source: random.Random) -> str:
    return str(source.randint(0, source.choice((9, 9, 20, 99, 99, 999))))
