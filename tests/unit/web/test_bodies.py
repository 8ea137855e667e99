import asyncio
import json
import math
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import InvalidRequest
from captchad.web.bodies import SMALL_BODY_BYTES, BodyWork, parse_json
from captchad.web.body_meter import MARKS_PER_STEP, BodyMeter
from tests.loop_turns import count_turns

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(JSON)
def test_proper_json_is_read_as_it_is(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary() | TEXT.map(str.encode))
def test_anything_else_is_refused_and_nothing_breaks(body: bytes) -> None:
    try:
        value = parse_json(body)
    except InvalidRequest:
        return
    assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"NaN",
        b"[Infinity]",
        b"1e999",
        b'{"a":1,"a":1}',
        b'{"b":{"a":1,"a":2}}',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"[1,]",
        b"{'a':1}",
        b"[" * 100_000,
        b"-Infinity",
        b'["\\udc00\\ud800"]',
        b'{"n":-1e999}',
    ],
)
def test_what_only_looks_like_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_json(body)


def test_escapes_and_large_integers_are_read_as_they_are() -> None:
    assert parse_json(b'["\\u00e9", "\\ud83d\\ude00", "\\\\ud800", 18446744073709551616]') == [
        "é",
        "\U0001f600",
        "\\ud800",
        2**64,
    ]


@pytest.mark.parametrize("body", [b'"\\ud800"', b'{"a\\uDFFF":1}', b'{"a":["\\ud83d\\ude00\\udc00",1e5]}'])
def test_half_of_a_surrogate_pair_is_named_as_such(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="half of a surrogate pair"):
        parse_json(body)


async def test_large_bodies_are_worked_on_beside_the_event_loop_one_after_another() -> None:
    work = BodyWork()
    here = threading.get_ident()
    assert await work.run(SMALL_BODY_BYTES, threading.get_ident) == here
    elsewhere = {await work.run(SMALL_BODY_BYTES + 1, threading.get_ident) for _ in range(3)}
    assert len(elsewhere) == 1
    assert here not in elsewhere


async def test_bodies_that_are_costly_to_measure_share_one_step_in_each_turn_of_the_loop() -> None:
    work, bodies, piece = BodyWork(), 8, b'{"metadata":{' + b'"a":"b",' * 4000
    with count_turns() as turns:
        await asyncio.gather(*(work.measure(BodyMeter(), piece) for _ in range(bodies)))
    assert turns.count >= bodies * 4 * 4000 // MARKS_PER_STEP // 2


async def test_a_small_piece_of_few_marks_is_measured_at_once() -> None:
    work = BodyWork()
    with count_turns() as turns:
        await work.measure(BodyMeter(), b'{"image":"' + b"a" * 10_000)
    assert turns.count == 0
