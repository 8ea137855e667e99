"""Texts and symbol numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.ctc import BLANK
from captchad.training.alphabet import SYMBOLS, collapse, decode, encode, spell_plainly


@given(st.text(alphabet=sorted(set(SYMBOLS) - {" ", "*"}), max_size=12))
def test_every_text_comes_back(text: str) -> None:
    assert decode(encode(text)) == text


@given(st.text(alphabet=SYMBOLS, max_size=12))
def test_a_path_with_repeats_and_blanks_collapses_to_its_text(text: str) -> None:
    path = [number for label in encode(text) for number in (label, label, BLANK)]
    assert collapse(path) == encode(text)


def test_no_symbol_is_listed_twice() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS)


def test_a_sum_has_no_spaces_and_one_spelling_of_each_sign() -> None:
    assert spell_plainly("3 * 4 = ?") == "3×4=?"
    assert spell_plainly("12 : 4 =") == "12÷4="
    assert spell_plainly("7−5") == "7-5"


def test_a_text_keeps_the_spaces_between_its_words_and_its_signs() -> None:
    assert spell_plainly(" stone  table ") == "stone table"
    assert spell_plainly("a*b:c") == "a*b÷c"
    assert spell_plainly("ABC–123") == "ABC-123"


def test_a_foreign_character_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the alphabet"):
        encode("añb")
