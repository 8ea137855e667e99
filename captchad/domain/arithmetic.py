"""Arithmetic as captchas show it: `12 + 5 = ?` or `三加五等于几`, read and worked out."""

import re
from dataclasses import dataclass

from captchad.domain.chinese_numbers import to_signs

# Nothing but a question mark comes after the equals sign, and the networks often take it for a 7.
_ARITHMETIC = re.compile(r"(-?\d{1,4})((?:[+\-×÷/][+-]?\d{1,4}){1,3})(?:=[?7]?|\?)?")
_STEP = re.compile(r"([+\-×÷/])([+-]?\d{1,4})")


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An expression in one line (`12 + 5`) and its integer result."""

    expression: str
    result: int


def read_arithmetic(text: str) -> Arithmetic | None:
    """Read an expression of two to four numbers, each with a sign or none; None where the result is no integer.

    Multiplication and division come before addition and subtraction, as in every generator that evaluates what it
    drew; numbers of one rank are taken from left to right. A slash divides as ÷ does.
    Chinese words are read as the signs and digits they say.
    """
    match = _ARITHMETIC.fullmatch(to_signs(text))
    if match is None:
        return None
    steps = [("÷" if sign == "/" else sign, int(number)) for sign, number in _STEP.findall(match[2])]
    first = int(match[1])
    result = _compute(first, steps)
    if result is None:
        return None
    return Arithmetic(" ".join([str(first), *(f"{sign} {number}" for sign, number in steps)]), result)


def _compute(first: int, steps: list[tuple[str, int]]) -> int | None:
    total, product = 0, first
    for sign, number in steps:
        if sign == "×":
            product *= number
        elif sign == "÷":
            # No generator asks for a fraction, so this was misread.
            if number == 0 or product % number:
                return None
            product //= number
        else:
            total += product
            product = number if sign == "+" else -number
    return total + product
