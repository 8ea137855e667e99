import random

import pytest

from captchad.domain.arithmetic import read_arithmetic
from captchad.domain.charsets import find_unreadable
from captchad.recognition.wide_alphabet import is_of_one_script, list_columns, spell, to_columns
from captchad.training.pictures.wide_texts import TEXTS

DRAWN = 300


def draw(name: str) -> list[str]:
    source = random.Random(name)
    return [TEXTS[name][0](source).drawn for _ in range(DRAWN)]


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_of_symbols_that_are_read_and_of_one_script(name: str) -> None:
    for text in draw(name):
        assert find_unreadable(text) == ()
        assert set(to_columns(text)) <= set(list_columns())
        assert is_of_one_script(text)


@pytest.mark.parametrize("name", ["wide-cyrillic", "wide-arabic-digits"])
def test_what_columns_spell_is_the_text_or_one_that_looks_the_same(name: str) -> None:
    texts = draw(name)
    spelled = [spell(to_columns(text), None) for text in texts]
    assert [to_columns(text) for text in spelled] == [to_columns(text) for text in texts]
    assert sum(one == other for one, other in zip(texts, spelled, strict=True)) > 0.9 * DRAWN


def test_most_sums_are_worked_out() -> None:
    worked_out = [read_arithmetic(text) for text in draw("wide-chinese-sum")]
    assert sum(one is not None for one in worked_out) > DRAWN / 2
