from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from captchad.intake.load_balancing import PartitionBalancer, choose_least_pending, choose_round_robin
from captchad.runtime.clock import Clock

PARTITIONS = st.sets(st.integers(0, 255), min_size=1).map(sorted)


class SteppingClock(Clock):
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic_seconds(self) -> float:
        return self.now


@given(PARTITIONS, st.integers(-1, 255))
def test_in_turn_every_healthy_partition_comes_once_a_round(healthy: list[int], last: int) -> None:
    chosen = []
    for _ in healthy:
        last = choose_round_robin(healthy, last)
        chosen.append(last)
    assert sorted(chosen) == healthy


@given(PARTITIONS, st.dictionaries(st.integers(0, 255), st.integers(0, 100)), st.integers(-1, 255))
def test_the_partition_with_the_fewest_waiting_is_chosen(
    healthy: list[int], pending: dict[int, int], last: int
) -> None:
    chosen = choose_least_pending(healthy, pending, last)
    assert chosen in healthy
    assert all(pending.get(chosen, 0) <= pending.get(other, 0) for other in healthy)


@given(st.integers(1, 16), st.integers(1, 5))
def test_tasks_are_spread_evenly(partitions: int, rounds: int) -> None:
    for algorithm in ("round_robin", "least_pending"):
        balancer = PartitionBalancer(partitions, algorithm, 30.0, SteppingClock())  # type: ignore[arg-type]
        assert set(Counter(balancer.choose() for _ in range(partitions * rounds)).values()) == {rounds}


def test_a_partition_that_failed_is_left_out_for_a_while() -> None:
    clock = SteppingClock()
    balancer = PartitionBalancer(3, "round_robin", 30.0, clock)
    balancer.note_failure(1)
    assert {balancer.choose() for _ in range(6)} == {0, 2}
    clock.now = 30.0
    assert {balancer.choose() for _ in range(6)} == {0, 1, 2}


def test_when_none_answers_all_are_tried_again() -> None:
    balancer = PartitionBalancer(2, "round_robin", 30.0, SteppingClock())
    balancer.note_failure(0)
    balancer.note_failure(1)
    assert {balancer.choose() for _ in range(2)} == {0, 1}


def test_figures_of_what_waits_are_taken_over() -> None:
    balancer = PartitionBalancer(2, "least_pending", 30.0, SteppingClock())
    balancer.note_pending({0: 10, 1: 0})
    assert [balancer.choose(4) for _ in range(3)] == [1, 1, 1]
    assert balancer.choose() == 0
