"""The policy of restarts."""

from hypothesis import given
from hypothesis import strategies as st

from captchad.deployment.restarts import DELAYS_SECONDS, STABLE_SECONDS, Ending, GiveUp, History, Restart

CRASH = Ending(exit_code=1, ready_seconds=None)
SHORT = Ending(exit_code=137, ready_seconds=1.0)
STABLE = Ending(exit_code=137, ready_seconds=STABLE_SECONDS)


def test_first_crash_is_answered_at_once() -> None:
    _, decision = History().judge(STABLE)
    assert decision == Restart(0.0)


def test_crashes_in_a_row_wait_ever_longer_up_to_half_a_minute() -> None:
    history, delays = History(has_been_ready=True), []
    for _ in range(10):
        history, decision = history.judge(CRASH)
        assert isinstance(decision, Restart)
        delays.append(decision.delay_seconds)
    assert delays == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_stable_life_wipes_the_slate() -> None:
    history = History(failures=7, has_been_ready=True)
    assert history.judge(STABLE) == (History(1, True), Restart(0.0))


def test_child_that_never_worked_is_given_up_after_three_starts() -> None:
    history = History()
    decisions = []
    for _ in range(3):
        history, decision = history.judge(CRASH)
        decisions.append(decision)
    assert decisions == [Restart(0.0), Restart(0.5), GiveUp()]


def test_wrong_usage_is_given_up_at_once() -> None:
    _, decision = History().judge(Ending(exit_code=2, ready_seconds=None))
    assert decision == GiveUp()


@given(st.lists(st.sampled_from([CRASH, SHORT, STABLE, Ending(2, None)]), max_size=30))
def test_child_that_has_worked_is_never_given_up(endings: list[Ending]) -> None:
    history, _ = History().judge(SHORT)
    for ending in endings:
        history, decision = history.judge(ending)
        assert isinstance(decision, Restart)
        assert decision.delay_seconds in DELAYS_SECONDS
