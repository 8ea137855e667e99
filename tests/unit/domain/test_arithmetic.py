"""Arithmetic in pictures: read, worked out, or refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.arithmetic import Arithmetic, read_arithmetic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12+5=?", Arithmetic("12 + 5", 17)),
        ("3-8=", Arithmetic("3 - 8", -5)),
        ("7×6", Arithmetic("7 × 6", 42)),
        ("20+4=7", Arithmetic("20 + 4", 24)),
        ("9÷3=?", Arithmetic("9 ÷ 3", 3)),
        ("8/2", Arithmetic("8 ÷ 2", 4)),
        ("1+2+3=", Arithmetic("1 + 2 + 3", 6)),
        ("9-2-3", Arithmetic("9 - 2 - 3", 4)),
        ("2+3×4=?", Arithmetic("2 + 3 × 4", 14)),
        ("-3+5=", Arithmetic("-3 + 5", 2)),
        ("4×-2=", Arithmetic("4 × -2", -8)),
        ("007+1", Arithmetic("7 + 1", 8)),
    ],
)
def test_arithmetic_is_worked_out(text: str, expected: Arithmetic) -> None:
    assert read_arithmetic(text) == expected


@pytest.mark.parametrize("text", ["", "12", "-12", "12+", "+5=", "9÷2=", "9÷0=?", "12345+1=", "1+2??", "1+2=3", "1++"])
def test_what_has_no_integer_result_is_refused(text: str) -> None:
    assert read_arithmetic(text) is None


@given(st.text("0123456789+-×÷/=?", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read_arithmetic(text)
    assert found is None or isinstance(found.result, int)


NUMBERS = st.integers(0, 999)
STEPS = st.lists(st.tuples(st.sampled_from("+-×"), NUMBERS), min_size=1, max_size=3)


@given(NUMBERS, STEPS)
def test_the_result_is_that_of_the_usual_rules(first: int, steps: list[tuple[str, int]]) -> None:
    text = str(first) + "".join(f"{sign}{number}" for sign, number in steps)
    terms = [Fraction(first)]
    for sign, number in steps:
        if sign == "×":
            terms[-1] *= number
        else:
            terms.append(Fraction(number if sign == "+" else -number))
    found = read_arithmetic(text)
    assert found is not None
    assert found.result == sum(terms)
