import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.arithmetic import Arithmetic, read_arithmetic
from captchad.domain.chinese_numbers import ARITHMETIC_WORDS, to_signs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3加5等于?", Arithmetic("3 + 5", 8)),
        ("三乘四", Arithmetic("3 × 4", 12)),
        ("十二减七得几", Arithmetic("12 - 7", 5)),
        ("二十除以五等于多少", Arithmetic("20 ÷ 5", 4)),
        ("9减去九＝？", Arithmetic("9 - 9", 0)),
        ("两加上八是", Arithmetic("2 + 8", 10)),
        ("壹佰零伍减5", Arithmetic("105 - 5", 100)),
        ("一百二十三加一", Arithmetic("123 + 1", 124)),
        ("六加二减三等于", Arithmetic("6 + 2 - 3", 5)),
        ("7乘以8=", Arithmetic("7 × 8", 56)),
    ],
)
def test_words_are_worked_out_as_signs_are(text: str, expected: Arithmetic) -> None:
    assert read_arithmetic(text) == expected


@pytest.mark.parametrize("text", ["", "加", "三加", "加工厂", "三除以二", "十十加一", "中加国", "三加五等"])
def test_what_is_no_arithmetic_is_refused(text: str) -> None:
    assert read_arithmetic(text) is None


@given(st.text("0123456789+-×÷/=?x ", max_size=12))
def test_what_has_no_words_is_left_as_it_is(text: str) -> None:
    assert to_signs(text) == text


@given(st.text(ARITHMETIC_WORDS + "0123456789+-=?", max_size=10))
def test_any_words_are_read_or_refused(text: str) -> None:
    found = read_arithmetic(text)
    assert found is None or isinstance(found.result, int)


@given(st.integers(0, 999))
def test_every_number_in_words_is_its_digits(number: int) -> None:
    assert to_signs(_say(number)) == str(number)


def _say(number: int) -> str:
    digits = "零一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    said = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        said += ("" if tens == 1 and not hundreds else digits[tens]) + "十"
    elif hundreds and ones:
        said += "零"
    return said + (digits[ones] if ones or not number else "")
