"""Measuring a body as it arrives, however it is cut."""

import json
import random
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from captchad.domain.errors import InvalidRequest
from captchad.web.body_meter import DEPTH_LIMIT, MARKS_PER_STEP, STRINGS_LIMIT, VALUES_LIMIT, BodyMeter

TEXT = st.text() | st.text(alphabet='"\\[]{},:')
VALUES = st.recursive(
    st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10
)


def measure(body: bytes, most_tasks: int = 100, piece_bytes: int = 65_536) -> BodyMeter:
    meter = BodyMeter(most_tasks)
    for start in range(0, len(body), piece_bytes):
        feed(meter, body[start : start + piece_bytes])
    return meter


def feed(meter: BodyMeter, piece: bytes) -> None:
    at = 0
    while at < len(piece):
        at = meter.feed(piece, at)


def count_plainly(body: bytes) -> tuple[int, int] | None:
    """Return how many strings and containers have begun, a byte after another; None where a body can't be JSON."""
    strings = containers = depth = at = 0
    is_over = False
    while at < len(body):
        byte = body[at : at + 1]
        if is_over and not byte.isspace():
            return None
        if byte == b'"':
            strings += 1
            at += 1
            while body[at : at + 1] not in (b'"', b""):
                at += 2 if body[at : at + 1] == b"\\" else 1
            is_over = depth == 0 and at < len(body)
        elif byte in (b"[", b"{"):
            containers, depth = containers + 1, depth + 1
        elif byte in (b"]", b"}"):
            depth -= 1
            is_over = depth == 0
            if depth < 0:
                return None
        at += 1
    return strings, containers


@given(st.lists(VALUES, max_size=99), st.integers(1, 7), st.booleans())
def test_tasks_are_counted_however_the_body_is_spelt_and_cut(
    tasks: list[Any], piece_bytes: int, is_ascii: bool
) -> None:
    body = json.dumps({"tasks": tasks}, ensure_ascii=is_ascii).encode(errors="replace")
    assert measure(body, piece_bytes=piece_bytes).tasks == max(1, len(tasks))


@given(st.binary())
def test_whatever_comes_is_measured_without_a_fault(body: bytes) -> None:
    try:
        measure(body, piece_bytes=3)
    except InvalidRequest:
        return


@given(st.text(alphabet='""[]{}\\ \n,1').map(str.encode), st.integers(1, 5))
@example(b'""""', 1)
@example(b"[]]", 2)
@example(b'{"a":1} \n', 3)
def test_what_can_not_become_json_is_refused_however_it_is_cut(body: bytes, piece_bytes: int) -> None:
    expected = count_plainly(body)
    if expected is None:
        with pytest.raises(InvalidRequest, match="not valid JSON"):
            measure(body, piece_bytes=piece_bytes)
        return
    meter = measure(body, 1, piece_bytes)
    assert (meter._strings, meter._values - body_commas(body)) == expected


def body_commas(body: bytes) -> int:
    return re.sub(rb'"(?:[^"\\]|\\.)*"?', b"", body, flags=re.DOTALL).count(b",")


@pytest.mark.parametrize("text", ['""', '"" ', '"":""', '"\\"",'])
def test_strings_are_values_too(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        measure(f'{{"metadata":{{{text * (STRINGS_LIMIT + 1)}'.encode(), most_tasks=1)
    assert [violation.message for violation in caught.value.violations] == [f"has more than {VALUES_LIMIT} values"]
    names = ",".join(f'"{number}":"a"' for number in range(VALUES_LIMIT - 10))
    measure(f'{{"tasks":[{{{names}}},{{{names}}}]}}'.encode())


@pytest.mark.parametrize("marks", [b'""', b"[]", b'"\\""[]'])
def test_a_step_is_bounded(marks: bytes) -> None:
    piece, meter, reached = b"[" + marks * 3000, BodyMeter(), [0]
    while reached[-1] < len(piece):
        reached.append(meter.feed(piece, reached[-1]))
    assert max(after - before for before, after in pairwise(reached)) <= MARKS_PER_STEP * len(marks) // 2


def test_the_hundred_and_first_task_is_refused_in_the_piece_that_brings_it() -> None:
    meter = BodyMeter(100)
    feed(meter, b'{"tasks":[' + b",".join([b"{}"] * 100))
    with pytest.raises(InvalidRequest) as caught:
        meter.feed(b",{}")
    [violation] = caught.value.violations
    assert (violation.pointer, violation.message) == ("/tasks", "has more than 100 tasks")


def test_each_task_may_have_so_many_values_and_the_one_with_more_is_named() -> None:
    many = "[" + ",".join("1" for _ in range(VALUES_LIMIT - 10)) + "]"
    measure(f'{{"tasks":[{",".join([many] * 5)}]}}'.encode())
    with pytest.raises(InvalidRequest) as caught:
        measure(f'{{"tasks":[{many},[{many},{many}]]}}'.encode())
    assert [violation.pointer for violation in caught.value.violations] == ["/tasks/1"]
    with pytest.raises(InvalidRequest) as caught:
        measure(f'{{"metadata":[{many},{many}]}}'.encode(), most_tasks=1)
    assert [violation.pointer for violation in caught.value.violations] == [""]


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    measure(opening * DEPTH_LIMIT + b"1" + closing * DEPTH_LIMIT)
    with pytest.raises(InvalidRequest, match="nested too deeply"):
        measure(opening * (DEPTH_LIMIT + 1))


def test_the_largest_proper_body_passes() -> None:
    cookie = {"name": "n", "value": "v", "domain": "d", "path": "/", "expires": 1, "http_only": True, "secure": True}
    session = {
        "cookies": [cookie | {"same_site": "Lax"}] * 300,
        "headers": {f"X-{number}": "," for number in range(100)},
        "local_storage": {str(number): json.dumps(list(range(9))) for number in range(1000)},
    }
    task = {"url": "http://a/", "session": session, "metadata": {"n": [1] * 2000, "s": "[,{" * 600}}
    measure(json.dumps(task).encode(), most_tasks=1)
    assert measure(json.dumps({"tasks": [task] * 100}).encode()).tasks == 100


def test_a_string_of_escapes_is_one_value() -> None:
    escapes = "".join(random.Random(1).choices(['"', "\\", ",", "[", "\n", "é"], k=200_000))
    measure(json.dumps({"image": escapes}).encode(), most_tasks=1, piece_bytes=1000)
