"""Sums as pages write them in their text: "3 + 4 = ?", "What is three plus four?", 三加四等于几."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from captchad.domain.arithmetic import Arithmetic, read_arithmetic

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
# fmt: on
_TENS_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS = {word: 10 * rank for rank, word in enumerate(_TENS_WORDS, 2)}
_NUMBER_WORDS = {**{word: number for number, word in enumerate(_UNITS)}, **_TENS}
_ANY_TENS, _ANY_UNIT, _ANY_NUMBER = ("|".join(words) for words in (_TENS, _UNITS[1:10], _NUMBER_WORDS))
_ENGLISH = re.compile(rf"\b(?:({_ANY_TENS})[\s-]+({_ANY_UNIT})|({_ANY_NUMBER}))\b")
_HAN_DIGITS = {
    digit: number
    for number, digits in enumerate(
        ("零〇", "一壹", "二贰貳两兩", "三叁參叄", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for digit in digits
}
_HAN_RANKS = {"十": 10, "拾": 10, "百": 100, "佰": 100}
_HAN = re.compile(f"[{''.join(_HAN_DIGITS)}{''.join(_HAN_RANKS)}]+")

# Longer words first: "multiplied by" before "by". A sum in words is asked for; one in signs may be a date or a range.
_OPERATOR_WORDS = (
    (re.compile(r"\b(?:plus|added to|add)\b|加上|加"), "+"),
    (re.compile(r"\b(?:minus|less|take away|subtract)\b|减去|減去|减|減"), "-"),
    (re.compile(r"\b(?:times|multiplied by)\b|乘以|乘上|乘"), "×"),
    (re.compile(r"\b(?:divided by|over)\b|除以"), "÷"),
)
_OPERATOR_SIGNS = (
    (re.compile("[−–—]"), "-"),
    (re.compile(r"[*∗⋅·✕✖]|(?<=\d)\s*x\s*(?=\d)"), "×"),
    (re.compile("∕"), "÷"),
)
_EQUALS = re.compile(r"\b(?:is equal to|equals?|makes?)\b|等于|等於|是多少|得多少|得几|得幾|[＝]")
# After words have become signs: "add 3 and 4" is "+ 3 and 4".
_JOINED = (
    (re.compile(r"(?:\b(?:sum|total) of|\+) (\d+) and (\d+)|(\d+)[与與和跟及](\d+)的和"), "+"),
    (re.compile(r"\b(?:product of|multiply) (\d+) (?:and|by) (\d+)|(\d+)[与與和跟及](\d+)的[积積]"), "×"),
    (re.compile(r"\bdifference (?:between|of) (\d+) and (\d+)|(\d+)[与與和跟及](\d+)的差"), "-"),
    (re.compile(r"\bdivide (\d+) by (\d+)|(\d+)[与與和跟及](\d+)的商"), "÷"),
)
_TAKEN_FROM = re.compile(r"- (\d+) from (\d+)")
_EXPRESSION = re.compile(r"(?<![a-z\d.,/+×÷-])(?<!\d:)-?\d{1,4}(?:\s*[+\-×÷/]\s*\d{1,4}){1,3}(?![a-z\d/]|[.,:]\d)")
_ASKED = re.compile(r"\s*(?:=|\?)")
_ASKING = re.compile(
    r"(?:what(?:'s| is| does)?|how much(?: is)?|calculate|compute|solve|evaluate|work out|answer|result of"
    r"|求|计算|計算|算|问|問|请|請)\W*$"
)
# "5 + ? = 9": what is asked for is one of the numbers.
_GAP = re.compile(
    r"(?<![\d.,/+×÷-])(?:(\d{1,3})\s*([+\-×÷])\s*)?[?_□]+\s*(?:([+\-×÷])\s*(\d{1,3})\s*)?=\s*(\d{1,5})(?![\d.,])"
)
GAP_LIMIT = 1000
SUM_LENGTH = 240


@dataclass(frozen=True, slots=True)
class WrittenSum:
    """A sum and whether the text clearly asks for it: other expressions, like dates, may be none."""

    arithmetic: Arithmetic
    is_asked: bool


def read_written_sum(text: str) -> WrittenSum | None:
    """Return the last sum of a text whose result is an integer; None where there is none."""
    plain = " ".join(unicodedata.normalize("NFKC", text[:SUM_LENGTH]).lower().replace("’", "'").split())
    in_signs = _replace_all(plain, _OPERATOR_SIGNS)
    in_figures = _write_in_figures(plain)
    filled = _fill_gap(in_figures)
    if filled is not None:
        return WrittenSum(filled, is_asked=True)
    found = list(_read_sums(in_figures, in_signs))
    asked = [one for one in found if one.is_asked]
    return next(reversed(asked or found), None)


def _write_in_figures(plain: str) -> str:
    """Write number words, operators and equals signs as figures and signs."""
    plain = _ENGLISH.sub(_read_english, plain)
    plain = _HAN.sub(lambda match: _read_han(match[0]), plain)
    plain = _replace_all(plain, (*_OPERATOR_WORDS, *_OPERATOR_SIGNS))
    for pattern, sign in _JOINED:
        plain = pattern.sub(partial(_join_numbers, sign), plain)
    plain = _TAKEN_FROM.sub(r" \2 - \1 = ", plain)
    return " ".join(_EQUALS.sub(" = ", plain).split())


def _replace_all(text: str, replacements: Iterable[tuple[re.Pattern[str], str]]) -> str:
    for pattern, sign in replacements:
        text = pattern.sub(sign, text)
    return text


def _join_numbers(sign: str, match: re.Match[str]) -> str:
    return f" {match[1] or match[3]} {sign} {match[2] or match[4]} = "


def _read_english(match: re.Match[str]) -> str:
    tens, unit, word = match.groups()
    return str(_TENS[tens] + _NUMBER_WORDS[unit] if tens else _NUMBER_WORDS[word])


def _read_han(numeral: str) -> str:
    """Return figures: by ranks (二十三) where there are any, else digit by digit (二三)."""
    if not any(letter in _HAN_RANKS for letter in numeral):
        return "".join(str(_HAN_DIGITS[letter]) for letter in numeral)
    total, digit = 0, 0
    for letter in numeral:
        if letter in _HAN_RANKS:
            # 十二 is 12: no digit before a rank is a one.
            total += _HAN_RANKS[letter] * (digit or 1)
            digit = 0
        else:
            digit = _HAN_DIGITS[letter]
    return str(total + digit)


def _read_sums(in_figures: str, in_signs: str) -> Iterable[WrittenSum]:
    signs = "".join(in_signs.split())
    for match in _EXPRESSION.finditer(in_figures):
        expression = "".join(match[0].split())
        arithmetic = read_arithmetic(expression)
        if arithmetic is None:
            continue
        before, after = in_figures[: match.start()], in_figures[match.end() :]
        is_asked = _ASKED.match(after) is not None or _ASKING.search(before) is not None
        # A text that is nothing but a sum asks for it too; a dash or a slash may as well be a range or a date.
        is_alone = not before.strip() and not after.strip() and re.search("[+×÷]", expression) is not None
        yield WrittenSum(arithmetic, is_asked or is_alone or expression not in signs)


def _fill_gap(in_figures: str) -> Arithmetic | None:
    match = _GAP.search(in_figures)
    if match is None or (match[2] is None) is (match[3] is None):
        return None
    for number in range(GAP_LIMIT):
        left = f"{match[1]}{match[2]}{number}" if match[2] else f"{number}{match[3]}{match[4]}"
        filled = read_arithmetic(left)
        if filled is not None and filled.result == int(match[5]):
            return Arithmetic(" ".join(match[0].split()), number)
    return None
