"""The wide model's columns, and which symbols share one: letters of two scripts that look alike can't be told apart.

A symbol alone says nothing of its script then, but the others beside it do: see `spell`.
"""

from collections.abc import Mapping, Set
from functools import cache, lru_cache
from string import ascii_letters, digits, punctuation

from captchad.domain.charsets import (
    ARABIC_DIGITS,
    CYRILLIC,
    OPERATOR_SIGNS,
    PERSIAN_DIGITS,
    list_chinese,
    to_plain_width,
)
from captchad.domain.chinese_numbers import ARITHMETIC_WORDS
from captchad.recognition.spelling import OWN_SPELLINGS

CYRILLIC_ALIKE = dict(zip("АВЕКМНОРСТХаеорсух", "ABEKMHOPCTXaeopcyx", strict=True))
"""Cyrillic letters, each with the Latin one that looks the same."""

_ARABIC_OWN = "٤٥٦"
ARABIC_ALIKE = {
    arabic: persian for arabic, persian in zip(ARABIC_DIGITS, PERSIAN_DIGITS, strict=True) if arabic not in _ARABIC_OWN
}
"""Arabic digits, each with the Persian one that looks the same; the others have a shape of their own."""

_FULL_WIDTH = "＝？＋－！（）：／％"
"""Full-width signs that the published weights know; each is read as its plain form."""

_NEAR = {"З": "3", "з": "3", "О": "0", "о": "0", "б": "6", "ч": "4", "Ч": "4", "۱": "1lI|", "۷": "V", "۵": "0"}
"""What a symbol may be taken for: that column counts for it where the caller's charset has no other use for it."""

_SELDOM = "\"'`.,:;|_~-()<>[]{}\\/" + "（）：／－"
"""What stray marks look like: read only where the caller's charset has it."""

_TOLD_BY_SHAPE = "абеёруф"

_KEPT_CHARSETS = 64


@cache
def list_columns() -> str:
    """Return the symbols of the wide model's columns, in order."""
    cyrillic = "".join(letter for letter in CYRILLIC if letter not in CYRILLIC_ALIKE)
    own_signs = "".join(sign for sign in OPERATOR_SIGNS if sign not in OWN_SPELLINGS)
    signs = punctuation + own_signs + _FULL_WIDTH
    return ascii_letters + digits + signs + list_chinese() + cyrillic + PERSIAN_DIGITS + _ARABIC_OWN


def to_columns(text: str) -> str:
    """Return a text as the model's columns spell it."""
    return "".join(CYRILLIC_ALIKE.get(symbol, ARABIC_ALIKE.get(symbol, symbol)) for symbol in text)


@lru_cache(_KEPT_CHARSETS)
def map_columns(charset: str | None, *, is_case_known: bool) -> Mapping[str, str]:
    """Return for each column that may be read its symbol, itself a column: of letters alike in two scripts the Latin.

    Where only one case of a letter may be read, or case does not matter, what was seen of either case counts for it.
    """
    allowed = {column for column in list_columns() if column not in _SELDOM} if charset is None else set(charset)
    if not is_case_known:
        allowed -= {letter for letter in allowed if letter != letter.lower() and letter.lower() in allowed}
    wanted = {to_columns(_spell_plainly(symbol)) for symbol in allowed}
    found = {symbol: symbol for symbol in wanted}
    for symbol in sorted(allowed):
        column = to_columns(_spell_plainly(symbol))
        near = "" if charset is None else _NEAR.get(symbol, "")
        for other in (to_columns(symbol.swapcase()), *near):
            if len(other) == 1:
                found.setdefault(other, column)
    for sign in _FULL_WIDTH:
        if to_plain_width(sign) in wanted and (charset is not None or sign not in _SELDOM):
            found[sign] = to_plain_width(sign)
    return found


@cache
def map_arithmetic_columns() -> Mapping[str, str]:
    """Return for each column that arithmetic in words and signs is made of its symbol."""
    signs = {sign: sign for sign in (*digits, *ARITHMETIC_WORDS, *"+-×÷=?/") if sign in list_columns()}
    return signs | {"x": "×", "X": "×", "*": "×"} | {sign: to_plain_width(sign) for sign in "＋－＝？"}


def spell(symbols: str, charset: str | None) -> str:
    """Return the text that columns spell, by the charset and by what stands beside each.

    A letter of two scripts is Cyrillic beside Cyrillic letters or where the charset has it in Cyrillic alone, else
    Latin; a digit is Arabic beside Arabic digits or where the charset has it as such alone, else Persian.
    """
    known = None if charset is None else set(charset)
    for alike, is_beside in (
        (CYRILLIC_ALIKE, any(symbol in CYRILLIC for symbol in symbols)),
        (ARABIC_ALIKE, any(symbol in _ARABIC_OWN for symbol in symbols)),
    ):
        spellings = {column: symbol for symbol, column in alike.items()}
        symbols = "".join(_choose_spelling(symbol, spellings.get(symbol), is_beside, known) for symbol in symbols)
    if known is None:
        return symbols
    # A charset's own form of a sign is kept: ＝ where it has no plain one.
    forms = {_spell_plainly(symbol): symbol for symbol in known if _spell_plainly(symbol) not in known}
    return "".join(forms.get(symbol, symbol) for symbol in symbols)


def settle_case(text: str, charset: str | None) -> str:
    """Return a text with its Cyrillic letters in one case, as nearly all captchas have them.

    Few Cyrillic letters differ from their capitals in more than size: these decide, or else the most. Where they
    contradict each other, or the charset lacks a letter, the text stays as it was read.
    """
    letters = [symbol for symbol in text if symbol in CYRILLIC]
    if not any(map(str.isupper, letters)) or not any(map(str.islower, letters)):
        return text
    telling = [letter for letter in letters if letter.lower() in _TOLD_BY_SHAPE]
    if any(map(str.isupper, telling)) and any(map(str.islower, telling)):
        return text
    voters = telling or letters
    is_upper = 2 * sum(map(str.isupper, voters)) >= len(voters)
    settled = "".join(
        (symbol.upper() if is_upper else symbol.lower()) if symbol in CYRILLIC else symbol for symbol in text
    )
    return settled if charset is None or set(settled) <= set(charset) else text


def is_of_one_script(text: str) -> bool:
    """Whether no two scripts meet that no captcha mixes: Chinese stands beside Latin, nothing else beside another."""
    has_arabic = any(symbol in PERSIAN_DIGITS + ARABIC_DIGITS for symbol in text)
    if has_arabic:
        return all(symbol in PERSIAN_DIGITS for symbol in text) or all(symbol in ARABIC_DIGITS for symbol in text)
    has_cyrillic = any(symbol in CYRILLIC for symbol in text)
    return not has_cyrillic or all(symbol in CYRILLIC or symbol in digits for symbol in text)


def _choose_spelling(column: str, other: str | None, is_beside: bool, known: Set[str] | None) -> str:
    if other is None or (known is not None and other not in known):
        return column
    return other if is_beside or (known is not None and column not in known) else column


def _spell_plainly(symbol: str) -> str:
    return OWN_SPELLINGS.get(symbol, to_plain_width(symbol)) if symbol not in punctuation else symbol
