"""What clients send becomes an order, or is refused: base64 in every spelling, hints, numbers."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.picture import PICTURE_LIMIT_BYTES
from captchad.domain.recognition import Hints
from captchad.web.compatibility.failures import Failure, SolverRefusal
from captchad.web.compatibility.numbers import NUMBER_LIMIT, make_number, name_number, read_number
from captchad.web.compatibility.orders import decode_body, read_count, read_flag, read_hints, read_order
from tests.integration.gateway.requests_to_send import make_png

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.lists(st.integers())
FIELD_NAMES = ("phrase", "case", "numeric", "math", "minlength", "maxlength", "comment", "imginstructions")


def attempt(read: Callable[[], object]) -> tuple[Failure | None, object]:
    """Return what is read, or why it is refused."""
    try:
        return None, read()
    except SolverRefusal as refusal:
        return refusal.failure, None


@given(st.binary(min_size=1, max_size=200), st.integers(1, 76), st.booleans(), st.booleans(), st.booleans())
def test_base64_is_read_in_every_spelling(
    data: bytes, width: int, is_uri: bool, is_unescaped: bool, has_end: bool
) -> None:
    text = base64.b64encode(data).decode()
    text = text if has_end else text.rstrip("=")
    text = text.replace("+", " ") if is_unescaped else text
    # A line that begins with a plus could not be told from a space after a line's end.
    text = text if is_unescaped else "\r\n".join(text[at : at + width] for at in range(0, len(text), width))
    assert decode_body(("data:image/png;base64," if is_uri else "") + text) == data


@given(st.text(max_size=200) | SCALARS)
def test_any_body_is_decoded_or_refused(value: object) -> None:
    refused, decoded = attempt(lambda: decode_body(value))
    assert refused in {None, Failure.EMPTY_PICTURE, Failure.PICTURE_FORMAT}
    assert refused or isinstance(decoded, bytes)


def test_a_large_body_is_not_decoded() -> None:
    with pytest.raises(SolverRefusal) as refused:
        decode_body("A" * (2 * PICTURE_LIMIT_BYTES))
    assert refused.value.failure is Failure.LARGE_PICTURE


@given(st.dictionaries(st.sampled_from(FIELD_NAMES), SCALARS))
def test_any_fields_give_hints_or_are_refused(fields: dict[str, Any]) -> None:
    refused, hints = attempt(lambda: read_hints(fields))
    assert refused in {None, Failure.PARAMETERS, Failure.TASK_KIND}
    assert refused or isinstance(hints, Hints)


def test_the_threshold_is_a_percentage() -> None:
    picture = make_png(60, 20)
    assert read_order({"recognizingthreshold": 85}, picture).minimum_confidence == pytest.approx(0.85)
    assert read_order({}, picture).minimum_confidence == 0


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", "true", "TRUE", "yes"])
def test_yes_is_spelled_in_many_ways(value: object) -> None:
    assert read_flag({"case": value}, "case")


@pytest.mark.parametrize("value", [None, False, 0, "0", "false", "", "no"])
def test_so_is_no(value: object) -> None:
    assert not read_flag({"case": value}, "case")


@pytest.mark.parametrize("value", ["-1", "65", "1.5", "x", "１", "1" * 300, 1.5, float("nan"), [1], {}])
def test_a_count_is_a_whole_number_in_its_range(value: object) -> None:
    with pytest.raises(SolverRefusal):
        read_count({"minlength": value}, "minlength", 64)


@given(st.integers(1, NUMBER_LIMIT - 1))
def test_a_number_is_read_as_number_or_text(number: int) -> None:
    assert read_number(number) == read_number(str(number)) == number


@given(SCALARS | st.text("0123456789", max_size=30))
def test_whatever_is_read_is_a_number_that_javascript_keeps(value: object) -> None:
    number = read_number(value)
    assert number is None or 0 < number < NUMBER_LIMIT


def test_numbers_are_not_guessed_and_no_header_spells_them() -> None:
    numbers = {make_number() for _ in range(1000)}
    assert len(numbers) == 1000
    assert all(0 < number < NUMBER_LIMIT for number in numbers)
    assert " " in name_number(1)


def test_every_failure_has_a_number_of_its_own_and_none_is_eleven() -> None:
    numbers = [failure.error_id for failure in Failure]
    assert len(set(numbers)) == len(numbers)
    assert 11 not in numbers
    assert min(numbers) > 0
