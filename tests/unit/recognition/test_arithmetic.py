"""Sums in pictures: read, worked out, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.arithmetic import Sum, read_sum


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12+5=?", Sum("12 + 5", 17)),
        ("3-8=", Sum("3 - 8", -5)),
        ("7×6", Sum("7 × 6", 42)),
        ("20+4=7", Sum("20 + 4", 24)),
        ("9÷3=?", Sum("9 ÷ 3", 3)),
    ],
)
def test_sums_are_worked_out(text: str, expected: Sum) -> None:
    assert read_sum(text) == expected


@pytest.mark.parametrize("text", ["", "12", "12+", "+5=", "1+2+3=", "9÷2=", "9÷0=?", "12345+1=", "1+2??", "1+2=3"])
def test_what_is_no_sum_of_two_numbers_with_a_whole_result_is_refused(text: str) -> None:
    assert read_sum(text) is None


@given(st.text("0123456789+-×÷=?", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read_sum(text)
    assert found is None or isinstance(found.result, int)
