"""Arithmetic in Chinese words (三加五等于几) as the signs and digits it says (3+5=?)."""

import re

_ONES = {word: value for value, word in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ONES |= {word: value for value, word in enumerate("壹贰叁肆伍陆柒捌玖", start=1)}
_TENS, _HUNDRED = "十拾", "百佰"
_NUMERALS = "".join(_ONES) + _TENS + _HUNDRED
_SIGNS = {"加上": "+", "加": "+", "减去": "-", "减": "-", "乘以": "×", "乘": "×", "除以": "÷", "除": "÷"}
_ENDING = re.compile(r"(?:等于|等於|得|是|为|=)(?:几|多少|\?)?$|(?:几|多少)$")
_PLAIN_SIGNS = str.maketrans("＋－＝？", "+-=?")
_WORDS = re.compile("|".join(_SIGNS))
_NUMERAL = re.compile(f"[{_NUMERALS}]+")

OPERATOR_WORDS = "加减乘除"
ARITHMETIC_WORDS = "".join(dict.fromkeys("".join(_SIGNS) + _NUMERALS + "等于得是为几多少"))
"""Every character that arithmetic in words is made of."""

_HAS_WORDS = re.compile(f"[{ARITHMETIC_WORDS}於＋－＝？]")


def to_signs(text: str) -> str:
    """Return arithmetic with its words as signs and digits; any other text comes back as it is, or as no arithmetic."""
    if not _HAS_WORDS.search(text):
        return text
    plain = _ENDING.sub("=", text.translate(_PLAIN_SIGNS))
    signs = _WORDS.sub(lambda word: _SIGNS[word[0]], plain)
    return _NUMERAL.sub(lambda numeral: _to_digits(numeral[0]), signs)


def _to_digits(numeral: str) -> str:
    """Return a numeral's digits: 二十三 is 23, 一二 is 12; one that is put together wrongly comes back as it is."""
    if all(word in _ONES for word in numeral):
        return "".join(str(_ONES[word]) for word in numeral)
    hundreds, rest = _split(numeral, _HUNDRED)
    tens, ones = _split(rest.lstrip("零〇") if hundreds is not None else rest, _TENS)
    parts = (hundreds, 100), (tens, 10), (ones, 1)
    if any(part and (len(part) > 1 or part not in _ONES) for part, _ in parts):
        return numeral
    # 十二 leaves the one before the ten unsaid.
    values = (0 if part is None else (_ONES[part] if part else int(rank > 1)) * rank for part, rank in parts)
    return str(sum(values))


def _split(numeral: str, unit: str) -> tuple[str | None, str]:
    """Return what stands before a unit (None where the unit is not there) and what stands after it."""
    for word in unit:
        before, found, after = numeral.partition(word)
        if found:
            return before, after
    return None, numeral
