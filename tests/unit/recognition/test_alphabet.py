"""Masking before anything is decided, with both cases of a letter counted together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.alphabet import make_arithmetic_alphabet, make_text_alphabet

CHARSET = ("", "人", "a", "A", "7", "x", "+", "十")


def test_masking_lifts_what_a_foreign_character_outweighed() -> None:
    alphabet = make_text_alphabet(None)
    columns = np.array([[0.1, 0.5, 0.1, 0.25, 0.05, 0.0, 0.0, 0.0]], dtype=np.float32)
    masked, share = alphabet.locate(CHARSET).mask(columns)
    assert alphabet.symbols[int(masked[0].argmax()) - 1] == "a"
    assert np.exp(masked[0]).sum() == pytest.approx(1)
    assert share == pytest.approx(np.log(0.5))


def test_a_symbol_the_network_does_not_know_is_impossible() -> None:
    masked, _ = make_text_alphabet("7é").locate(CHARSET).mask(np.full((2, 8), 0.125, dtype=np.float32))
    assert np.isneginf(masked[:, make_text_alphabet("7é").symbols.index("é") + 1]).all()


def test_signs_count_together_with_what_they_are_mistaken_for() -> None:
    alphabet = make_arithmetic_alphabet()
    columns = np.array([[0.2, 0.0, 0.0, 0.0, 0.3, 0.0, 0.2, 0.3]], dtype=np.float32)
    masked, _ = alphabet.locate(CHARSET).mask(columns)
    assert alphabet.symbols[int(masked[0].argmax()) - 1] == "+"


@given(st.text(max_size=30))
def test_any_charset_makes_an_alphabet_without_repeats(charset: str) -> None:
    alphabet = make_text_alphabet(charset)
    assert len(set(alphabet.symbols)) == len(alphabet.symbols) == len(alphabet.members)
    assert all(len(symbol) == 1 for symbol in alphabet.symbols)
