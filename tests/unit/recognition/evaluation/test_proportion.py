"""Shares and their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.recognition.evaluation.proportion import (
    Z_95,
    estimate_clustered_proportion,
    estimate_proportion,
    find_wilson_interval,
)

TRIALS = st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
GROUPS = st.lists(
    st.integers(1, 12).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))), min_size=1, max_size=50
)


@given(TRIALS)
def test_the_interval_holds_the_share_and_stays_within_0_and_1(counts: tuple[int, int]) -> None:
    found = estimate_proportion(*counts)
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert found.low < found.high


@given(TRIALS)
def test_each_bound_is_as_far_from_the_share_as_its_own_scatter_allows(counts: tuple[int, int]) -> None:
    right, total = counts
    found = estimate_proportion(right, total)
    for bound in (found.low, found.high):
        if 0 < bound < 1:
            assert (found.share - bound) ** 2 == pytest.approx(Z_95**2 * bound * (1 - bound) / total, abs=1e-9)


@given(TRIALS, st.integers(2, 9))
def test_more_pictures_narrow_the_interval(counts: tuple[int, int], times: int) -> None:
    right, total = counts
    few, many = estimate_proportion(right, total), estimate_proportion(right * times, total * times)
    assert many.high - many.low < few.high - few.low


def test_known_values() -> None:
    assert find_wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert find_wilson_interval(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert find_wilson_interval(1.0, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


@given(GROUPS)
def test_groups_are_never_surer_than_all_their_trials_and_never_less_sure_than_their_number(
    groups: list[tuple[int, int]],
) -> None:
    found = estimate_clustered_proportion(groups)
    assert (found.right, found.total) == (sum(right for right, _ in groups), sum(total for _, total in groups))
    surest = find_wilson_interval(found.share, found.total)
    least_sure = find_wilson_interval(found.share, len(groups))
    assert least_sure[0] - 1e-12 <= found.low <= surest[0] + 1e-12
    assert surest[1] - 1e-12 <= found.high <= least_sure[1] + 1e-12


def test_texts_that_fail_as_a_whole_count_as_texts() -> None:
    found = estimate_clustered_proportion([(5, 5)] * 50 + [(0, 5)] * 50)
    assert (found.low, found.high) == pytest.approx(find_wilson_interval(0.5, 100), abs=1e-3)
