import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import InvalidRequest
from captchad.web.bodies import parse_json

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
        b"[" * 1500 + b"]" * 1500,
        b"9" * 5000,
    ],
)
def test_what_only_looks_like_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_json(body)
