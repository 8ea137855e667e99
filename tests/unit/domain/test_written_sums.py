from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.page_text import PageText, find_lone_code, read_page_text
from captchad.domain.written_sums import read_written_sum


@pytest.mark.parametrize(
    ("text", "expression", "result"),
    [
        ("3 + 4 =", "3 + 4", 7),
        ("3 + 4 = ?", "3 + 4", 7),
        ("What is 3 + 4?", "3 + 4", 7),
        ("what is three plus four?", "3 + 4", 7),
        ("Math question seven minus 2", "7 - 2", 5),
        ("What is twenty-one minus five?", "21 - 5", 16),
        ("What does ten divided by two equal?", "10 ÷ 2", 5),
        ("the sum of three and four", "3 + 4", 7),
        ("Please add 3 and 4", "3 + 4", 7),
        ("Subtract 2 from seven", "7 - 2", 5),
        ("multiply three by 4", "3 × 4", 12),
        ("six times seven equals", "6 × 7", 42),
        ("6 x 7 =", "6 × 7", 42),
        ("3*4=?", "3 × 4", 12),
        ("9 — 4 =", "9 - 4", 5),
        ("１＋２＝？", "1 + 2", 3),
        ("三加四等于几？", "3 + 4", 7),
        ("请计算：3加5等于?", "3 + 5", 8),
        ("5乘4=?", "5 × 4", 20),
        ("十二减三是多少", "12 - 3", 9),
        ("二十三 加 四 =", "23 + 4", 27),
        ("贰加叁等于多少", "2 + 3", 5),
        ("3与4的和是多少", "3 + 4", 7),
        ("Room 2-4. Security question: 8 + 1 =", "8 + 1", 9),
        ("5 + ? = 9", "5 + ? = 9", 4),
        ("? × 3 = 12", "? × 3 = 12", 4),
    ],
)
def test_a_sum_that_is_asked_for_is_worked_out(text: str, expression: str, result: int) -> None:
    found = read_written_sum(text)
    assert found is not None
    assert (found.arithmetic.expression, found.arithmetic.result, found.is_asked) == (expression, result, True)


@pytest.mark.parametrize("text", ["2020-2024", "call 02-123-456", "10 – 3 is"])
def test_what_may_be_a_range_or_a_number_is_no_clear_question(text: str) -> None:
    found = read_written_sum(text)
    assert found is not None
    assert not found.is_asked


@pytest.mark.parametrize("text", ["", "one", "12/05/2024", "24/7 support", "Version 1.2-3", "Step 2 of 3", "7 / 2 ="])
def test_other_text_is_no_sum(text: str) -> None:
    assert read_written_sum(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7KM4", PageText("7KM4", is_clear=True)),
        ("2X5T", PageText("2X5T", is_clear=True)),
        ("kmXp", PageText("kmXp", is_clear=True)),
        ("kmxp", PageText("kmxp", is_clear=False)),
        ("Hello", PageText("Hello", is_clear=False)),
        ("7 K M 4", PageText("7KM4", is_clear=False)),
        ("seven minus 2", PageText("5", is_clear=True, expression="7 - 2")),
        ("7K", None),
        ("Hello there", None),
        ("验证码", None),
    ],
)
def test_a_code_is_known_by_its_form(text: str, expected: PageText | None) -> None:
    assert read_page_text(text) == expected


@given(st.text(ascii_letters + digits, min_size=3, max_size=10))
def test_no_code_is_taken_for_a_sum(code: str) -> None:
    found = read_page_text(code)
    assert found is not None
    assert (found.answer, found.expression) == (code, None)
    written = read_written_sum(f"Captcha {code}")
    assert written is None


def test_one_code_among_words_may_be_meant() -> None:
    assert find_lone_code("验证码：7KM4 看不清换一张") == PageText("7KM4", is_clear=False)
    assert find_lone_code("A12B or C34D") is None
    assert find_lone_code("no code at all") is None
