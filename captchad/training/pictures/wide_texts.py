"""Texts of the wide alphabets: Chinese, Chinese arithmetic, Cyrillic, Persian and Arabic digits, Latin with signs."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

from captchad.domain.charsets import ARABIC_DIGITS, CYRILLIC, PERSIAN_DIGITS, list_chinese

_SIGNS = "@#$%&*!?^+=-"
_UPPER, _LOWER = CYRILLIC[: len(CYRILLIC) // 2], CYRILLIC[len(CYRILLIC) // 2 :]
_VOWELS, _CONSONANTS = "аеиоуыэюя", "бвгджзклмнпрстфхцчш"
_LENGTHS = (4, 4, 4, 5, 5, 5, 6, 6, 3, 7, 8)
_CHINESE_LENGTHS = (4, 4, 4, 4, 2, 3, 5, 6)
_CHINESE_DIGITS = "零一二三四五六七八九"
_OPERATORS = {
    "+": ("加", "加", "加上", "＋", "+"),
    "-": ("减", "减", "减去", "－", "-"),
    "×": ("乘", "乘", "乘以", "×", "x"),
    "÷": ("除", "除以", "除以", "÷"),
}
_EQUALS = ("等于", "等于", "=", "＝", "得", "是")
_QUESTIONS = ("?", "？", "", "几", "多少")


class Script(StrEnum):
    """What fonts must have to draw a text."""

    CHINESE = "chinese"
    CYRILLIC = "cyrillic"
    ARABIC = "arabic"
    LATIN = "latin"


@dataclass(frozen=True, slots=True)
class WideText:
    """What is drawn, and of which script its fonts are."""

    drawn: str
    script: Script


def draw_chinese(source: random.Random) -> WideText:
    """Draw Chinese characters, a third of the time with Latin letters and digits between them."""
    length = source.choice(_CHINESE_LENGTHS)
    kept = source.choice(("", "", ascii_letters + digits, ascii_uppercase + digits))
    share = source.uniform(0.3, 0.7)
    text = "".join(
        source.choice(kept) if kept and source.random() < share else source.choice(list_chinese())
        for _ in range(length)
    )
    return WideText(text, Script.CHINESE)


def draw_chinese_arithmetic(source: random.Random) -> WideText:
    """Draw arithmetic in words and signs: 3加5等于?, 三乘四, 12减7=?"""
    operator = source.choice("++--××÷")
    is_in_words = source.random() < 0.4
    numbers = [_draw_number(source, is_in_words) for _ in range(2)]
    parts = [numbers[0], source.choice(_OPERATORS[operator]), numbers[1]]
    if source.random() < 0.85:
        parts += [source.choice(_EQUALS), source.choice(_QUESTIONS)]
    return WideText("".join(parts), Script.CHINESE)


def draw_cyrillic(source: random.Random) -> WideText:
    """Draw Cyrillic letters of one case, made-up words among them, or with digits."""
    length = source.choice(_LENGTHS)
    kind = source.random()
    if kind < 0.25:
        word = "".join(source.choice((_CONSONANTS, _VOWELS)[place % 2]) for place in range(length))
        return WideText(source.choice((word, word.upper(), word.capitalize())), Script.CYRILLIC)
    letters = source.choice((_UPPER, _LOWER, _UPPER, _LOWER, CYRILLIC))
    charset = letters + digits * source.choice((0, 0, 1))
    return WideText("".join(source.choices(charset, k=length)), Script.CYRILLIC)


def draw_arabic_digits(source: random.Random) -> WideText:
    """Draw Persian or Arabic digits."""
    charset = source.choice((PERSIAN_DIGITS, PERSIAN_DIGITS, ARABIC_DIGITS))
    return WideText("".join(source.choices(charset, k=source.choice(_LENGTHS))), Script.ARABIC)


def draw_latin(source: random.Random) -> WideText:
    """Draw Latin letters and digits, most of the time with signs."""
    letters = source.choice((ascii_letters, ascii_lowercase, ascii_uppercase))
    length = source.choice(_LENGTHS)
    share = source.choice((0.0, 0.15, 0.3))
    text = "".join(source.choice(_SIGNS if source.random() < share else letters + digits) for _ in range(length))
    return WideText(text, Script.LATIN)


TEXTS: dict[str, tuple[Callable[[random.Random], WideText], float]] = {
    "wide-chinese": (draw_chinese, 3),
    "wide-chinese-sum": (draw_chinese_arithmetic, 2),
    "wide-cyrillic": (draw_cyrillic, 3),
    "wide-arabic-digits": (draw_arabic_digits, 2),
    "wide-latin": (draw_latin, 2),
}
"""Each family of texts, with its weight in the training."""


def _draw_number(source: random.Random, is_in_words: bool) -> str:
    number = source.randint(0, source.choice((9, 9, 9, 20, 99)))
    if not is_in_words:
        return str(number)
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _CHINESE_DIGITS[ones]
    return f"{'' if tens == 1 else _CHINESE_DIGITS[tens]}十{_CHINESE_DIGITS[ones] if ones else ''}"
