from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.task import Priority
from captchad.intake.capacity import CapacityFigures
from captchad.intake.estimation import TargetOutlook, estimate_wait_seconds

AHEAD = st.integers(0, 100_000)
SLOTS = st.integers(0, 1000)
MEAN = st.none() | st.floats(0, 600)


@given(AHEAD, SLOTS, MEAN)
def test_the_estimate_is_whole_and_positive(ahead: int, slots: int, mean: float | None) -> None:
    estimate = estimate_wait_seconds(ahead, slots, mean)
    assert type(estimate) is int
    assert estimate >= 1


@given(AHEAD, st.integers(0, 1000), SLOTS, st.integers(0, 100), MEAN)
def test_more_tasks_never_shorten_it_and_more_slots_never_lengthen_it(
    ahead: int, further: int, slots: int, added: int, mean: float | None
) -> None:
    estimate = estimate_wait_seconds(ahead, slots, mean)
    assert estimate_wait_seconds(ahead + further, slots, mean) >= estimate
    assert estimate_wait_seconds(ahead, slots + added, mean) <= estimate


OUTLOOKS = st.builds(
    TargetOutlook,
    ahead=AHEAD,
    visits=st.integers(0, 1000),
    max_per_minute=st.integers(1, 1000),
    max_concurrent=st.integers(1, 100),
    closed_seconds=st.floats(0, 604_800),
    opens_page=st.booleans(),
)


@given(AHEAD, SLOTS, MEAN, OUTLOOKS)
def test_a_target_never_shortens_it_and_a_closure_is_waited_for(
    ahead: int, slots: int, mean: float | None, target: TargetOutlook
) -> None:
    estimate = estimate_wait_seconds(ahead, slots, mean, target)
    assert estimate >= estimate_wait_seconds(ahead, slots, mean)
    if target.opens_page:
        assert estimate >= target.closed_seconds


def test_a_targets_limits_and_its_closure_lengthen_it() -> None:
    free = TargetOutlook(ahead=0, visits=0, max_per_minute=60, max_concurrent=4)
    assert estimate_wait_seconds(0, 4, 2.0, free) == 2
    assert estimate_wait_seconds(0, 4, 2.0, replace(free, closed_seconds=100)) == 102
    assert estimate_wait_seconds(0, 4, 2.0, replace(free, closed_seconds=100, opens_page=False)) == 2
    assert estimate_wait_seconds(0, 4, 2.0, replace(free, visits=60)) == 3
    assert estimate_wait_seconds(0, 4, 2.0, replace(free, ahead=89)) == max(32, 23 * 2)
    assert estimate_wait_seconds(0, 4, 2.0, replace(free, ahead=89, max_concurrent=100)) == 32


def test_an_idle_fleet_needs_the_mean_and_a_full_one_a_round_more() -> None:
    assert estimate_wait_seconds(0, 4, 2.5) == 3
    assert estimate_wait_seconds(3, 4, 2.5) == 3
    assert estimate_wait_seconds(4, 4, 2.5) == 5
    assert estimate_wait_seconds(8, 4, 10.0) == 30


def test_only_queues_of_the_same_or_a_higher_priority_are_ahead() -> None:
    figures = CapacityFigures({"recovered": 1, "high": 10, "normal": 100, "low": 1000}, 5, 4, None)
    assert figures.count_ahead(Priority.HIGH) == 16
    assert figures.count_ahead(Priority.NORMAL) == 116
    assert figures.count_ahead(Priority.LOW) == 1116
