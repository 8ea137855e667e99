"""Sums as captchas show them: `12 + 5 = ?` read and worked out."""

import re
from dataclasses import dataclass

# Nothing but a question mark comes after the equals sign, and the networks often take it for a 7.
_SUM = re.compile(r"(\d{1,4})([+\-×÷])(\d{1,4})(?:=[?7]?|\?)?")


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum in one line (`12 + 5`) and its whole-numbered result."""

    expression: str
    result: int


def read_sum(text: str) -> Sum | None:
    """Read a sum of two numbers; None where the text is none, or its result is no whole number."""
    match = _SUM.fullmatch(text)
    if match is None:
        return None
    left, operator, right = int(match[1]), match[2], int(match[3])
    result = _compute(left, operator, right)
    return None if result is None else Sum(f"{left} {operator} {right}", result)


def _compute(left: int, operator: str, right: int) -> int | None:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "×":
        return left * right
    return left // right if right and left % right == 0 else None
