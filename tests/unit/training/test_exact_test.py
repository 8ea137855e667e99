"""McNemar's exact test against its definition."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.training.exact_test import measure_chance


@pytest.mark.parametrize(("gained", "lost"), list(product(range(7), range(5))))
def test_it_is_the_share_of_all_outcomes_with_so_much_gain(gained: int, lost: int) -> None:
    outcomes = list(product((False, True), repeat=gained + lost))
    as_good = sum(sum(outcome) >= gained for outcome in outcomes)
    assert measure_chance(gained, lost) == pytest.approx(as_good / len(outcomes))


@given(st.integers(0, 300), st.integers(0, 300))
def test_more_gain_is_never_likelier_and_more_loss_never_less_likely(gained: int, lost: int) -> None:
    chance = measure_chance(gained, lost)
    assert 0 < chance <= 1
    assert measure_chance(gained + 1, lost) <= chance <= measure_chance(gained, lost + 1)


def test_without_a_difference_nothing_is_shown() -> None:
    assert measure_chance(0, 0) == 1
