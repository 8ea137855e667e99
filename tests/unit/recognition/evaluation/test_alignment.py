"""Alignment, held against what a distance must be."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.evaluation.alignment import align_texts, measure_distance

TEXTS = st.text("abc", max_size=7)


@cache
def define_distance(first: str, second: str) -> int:
    if not first or not second:
        return len(first) + len(second)
    return min(
        define_distance(first[1:], second[1:]) + (first[0] != second[0]),
        define_distance(first[1:], second) + 1,
        define_distance(first, second[1:]) + 1,
    )


def measure(truth: str, read: str) -> int:
    return measure_distance(align_texts(truth, read))


@given(TEXTS, TEXTS)
def test_the_alignment_holds_both_texts_at_their_distance(truth: str, read: str) -> None:
    pairs = align_texts(truth, read)
    assert "".join(true for true, _ in pairs) == truth
    assert "".join(seen for _, seen in pairs) == read
    assert ("", "") not in pairs
    assert measure_distance(pairs) == define_distance(truth, read)


@given(TEXTS, TEXTS, TEXTS)
def test_the_distance_is_a_metric(first: str, second: str, third: str) -> None:
    assert (measure(first, second) == 0) == (first == second)
    assert measure(first, second) == measure(second, first)
    assert measure(first, third) <= measure(first, second) + measure(second, third)


def test_a_changed_character_stands_beside_the_true_one() -> None:
    assert align_texts("K7Qx", "K1Qx") == (("K", "K"), ("7", "1"), ("Q", "Q"), ("x", "x"))
    assert align_texts("abc", "ac") == (("a", "a"), ("b", ""), ("c", "c"))
    assert align_texts("ac", "abc") == (("a", "a"), ("", "b"), ("c", "c"))
