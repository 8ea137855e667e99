"""Texts and symbol numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.ctc import BLANK
from captchad.training.alphabet import SYMBOLS, collapse, decode, encode, spell_plainly


@given(st.text(alphabet=SYMBOLS, max_size=12))
def test_every_text_comes_back(text: str) -> None:
    assert decode(encode(text)) == text


@given(st.text(alphabet=SYMBOLS, max_size=12))
def test_a_path_with_repeats_and_blanks_collapses_to_its_text(text: str) -> None:
    path = [number for label in encode(text) for number in (label, label, BLANK)]
    assert collapse(path) == encode(text)


def test_no_symbol_is_listed_twice() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS)


def test_spaces_are_dropped_and_signs_have_one_spelling() -> None:
    assert spell_plainly("3 * 4 = ?") == "3×4=?"


def test_a_foreign_character_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the alphabet"):
        encode("añb")
