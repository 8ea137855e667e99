"""Decoding of columns, held against counting every alignment."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.ctc import (
    BLANK,
    Labels,
    LogProbabilities,
    align_labels,
    find_best_of_length,
    score_labels,
    search_beam,
)

SYMBOLS = 3


@st.composite
def draw_columns(source: st.DrawFn, most_steps: int = 5) -> LogProbabilities:
    steps = source(st.integers(1, most_steps))
    numbers = np.random.default_rng(source(st.integers(0, 2**32 - 1)))
    values = numbers.normal(size=(steps, SYMBOLS)) * source(st.sampled_from([0.3, 2.0]))
    return np.asarray(values - np.logaddexp.reduce(values, axis=1, keepdims=True))


def collapse(path: tuple[int, ...]) -> Labels:
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK)


def enumerate_paths(columns: LogProbabilities) -> list[tuple[Labels, float]]:
    return [
        (collapse(path), sum(float(columns[step, symbol]) for step, symbol in enumerate(path)))
        for path in itertools.product(range(SYMBOLS), repeat=len(columns))
    ]


@given(draw_columns())
def test_the_score_of_a_text_is_the_sum_over_all_its_alignments(columns: LogProbabilities) -> None:
    totals: defaultdict[Labels, float] = defaultdict(lambda: -np.inf)
    for labels, score in enumerate_paths(columns):
        totals[labels] = float(np.logaddexp(totals[labels], score))
    for labels, total in totals.items():
        assert score_labels(columns, labels) == pytest.approx(total)
    assert np.logaddexp.reduce(list(totals.values())) == pytest.approx(0, abs=1e-9)


@given(draw_columns())
def test_an_unbounded_beam_finds_the_likeliest_text_with_its_true_score(columns: LogProbabilities) -> None:
    beam = search_beam(columns, width=10_000)
    best = max(beam, key=lambda labels: beam[labels])
    assert beam[best] == pytest.approx(score_labels(columns, best), abs=1e-3)
    assert all(score_labels(columns, labels) <= beam[best] + 1e-3 for labels, _ in enumerate_paths(columns))


@given(draw_columns(most_steps=12), st.integers(0, 4))
def test_the_beam_never_exceeds_the_length_bound(columns: LogProbabilities, longest: int) -> None:
    assert all(len(labels) <= longest for labels in search_beam(columns, longest))


@given(draw_columns(), st.integers(0, 6))
def test_the_best_text_of_a_length_is_that_of_the_best_alignment(columns: LogProbabilities, length: int) -> None:
    fitting = [(score, labels) for labels, score in enumerate_paths(columns) if len(labels) == length]
    found = find_best_of_length(columns, length)
    assert found == (max(fitting)[1] if fitting else None)


def test_a_repeated_symbol_needs_a_blank_between() -> None:
    blank, letter = [0.0, -np.inf, -np.inf], [-np.inf, 0.0, -np.inf]
    assert max(search_beam(np.array([letter, blank, letter])).items(), key=lambda item: item[1])[0] == (1, 1)
    assert max(search_beam(np.array([letter, letter])).items(), key=lambda item: item[1])[0] == (1,)


def test_symbols_are_aligned_with_the_steps_that_show_them() -> None:
    columns = np.log(
        np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.2, 0.1, 0.7], [0.1, 0.1, 0.8]])
    )
    assert align_labels(columns, (1, 2)) == [1, 4]
    assert align_labels(columns, ()) == []
