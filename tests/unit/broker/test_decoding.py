"""Stored JSON becomes values of exactly the declared types, and it is known why where it can't."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.broker.decoding import DamagedRecord, NewerRecord, UnreadableRecord, build, parse_object
from captchad.broker.messages import decode_error, decode_request, decode_result
from captchad.domain.errors import TaskErrorCode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["name", "count", "share", "colour", "inner", "items", "extra", "size", "of_later"])


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    flag: bool


@dataclass(frozen=True, slots=True)
class Value:
    name: str
    count: int = 0
    share: float = 0.0
    colour: Colour | None = None
    inner: Inner | None = None
    items: tuple[Inner, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    size: Literal["small", "large"] = "small"


def test_members_become_what_is_declared() -> None:
    members = {
        "name": "a", "count": 2, "share": 1, "colour": "red", "inner": {"flag": True}, "items": [{"flag": False}],
        "extra": {"deep": [1]}, "size": "large",
    }  # fmt: skip
    expected = Value("a", 2, 1.0, Colour.RED, Inner(True), (Inner(False),), {"deep": [1]}, "large")
    assert build(Value, members) == expected
    assert build(Value, {"name": "a", "colour": None}) == Value("a")


@pytest.mark.parametrize(
    "members", [{"of_later": 1}, {"colour": "blue"}, {"size": "medium"}, {"inner": {"flag": True, "of_later": 1}}]
)
def test_what_only_a_newer_release_can_have_written_is_told_apart(members: dict[str, Any]) -> None:
    with pytest.raises(NewerRecord):
        build(Value, {"name": "a"} | members)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"name": 1},
        {"name": "a", "count": True},
        {"name": "a", "count": 1.5},
        {"name": "a", "share": "1"},
        {"name": "a", "colour": 3},
        {"name": "a", "inner": []},
        {"name": "a", "inner": {}},
        {"name": "a", "items": {}},
        {"name": "a", "items": [1]},
        {"name": "a", "extra": []},
    ],
)
def test_anything_else_is_damage(members: dict[str, Any]) -> None:
    with pytest.raises(DamagedRecord):
        build(Value, members)


@given(st.dictionaries(MEMBERS, JSON, max_size=4))
def test_whatever_is_stored_there_is_a_value_or_one_of_the_two_reasons(members: dict[str, Any]) -> None:
    try:
        value = build(Value, members)
    except UnreadableRecord:
        return
    assert isinstance(value.name, str)
    assert isinstance(value.share, (int, float))


@given(st.binary(max_size=40))
def test_no_bytes_get_past_the_readers(data: bytes) -> None:
    for read in (parse_object, decode_result, lambda some: decode_request(some, None)):
        try:
            read(data)
        except UnreadableRecord:
            continue
    decode_error(data)


def test_an_error_of_a_newer_release_is_shown_as_one() -> None:
    error = decode_error(b'{"code": "of_later", "message": "", "is_retryable": false}')
    assert error.code is TaskErrorCode.UNREADABLE_RECORD
    assert "of_later" in error.message
