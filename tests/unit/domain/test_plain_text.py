"""What others wrote is shown without power over a terminal, and at a bounded length."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.plain_text import (
    MESSAGE_LIMIT_BYTES,
    bound_message,
    cut_text,
    escape_control_characters,
    escape_in_json,
)

ANY_TEXT = st.text(alphabet=st.characters(codec=None))
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def is_steering(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in BIDI


@given(ANY_TEXT)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    escaped = escape_control_characters(text)
    assert not any(is_steering(one) for one in escaped)
    assert escape_control_characters(escaped) == escaped
    escaped.encode()


def test_direction_marks_and_line_separators_become_visible() -> None:
    assert escape_control_characters("a\u202eb\u2028c\x9bd\te\x1bf") == "a\\u202eb\\u2028c\\x9bd\\te\\x1bf"


@given(ANY_TEXT)
def test_json_means_the_same_without_anything_that_steers_a_terminal(text: str) -> None:
    dumped = escape_in_json(json.dumps({"text": text}, indent=2, ensure_ascii=False))
    assert not any(is_steering(one) for one in dumped.replace("\n", ""))
    assert json.loads(dumped) == {"text": text}


@given(ANY_TEXT, st.integers(min_value=3, max_value=40))
def test_a_text_is_cut_to_its_bytes_and_says_so(text: str, limit_bytes: int) -> None:
    cut = cut_text(text, limit_bytes)
    if cut != text:
        assert cut.endswith("…")
        assert len(cut.encode()) <= limit_bytes
    else:
        assert len(text.encode(errors="backslashreplace")) <= limit_bytes


@pytest.mark.parametrize("filler", ["x", "é", "\x1b", "\u202e", "\ud800", "😀"])
def test_the_message_of_a_failed_attempt_is_bounded_where_it_is_made(filler: str) -> None:
    failed = AttemptFailed(TaskErrorCode.HTTP_ERROR, f"http://localhost/?{filler * 2_000_000} answered 404")
    assert len(failed.message.encode()) <= MESSAGE_LIMIT_BYTES
    assert not any(is_steering(one) for one in failed.message)
    assert failed.message.startswith("http://localhost/?")


def test_a_short_message_is_kept() -> None:
    assert bound_message("nothing loaded matches #captcha") == "nothing loaded matches #captcha"
