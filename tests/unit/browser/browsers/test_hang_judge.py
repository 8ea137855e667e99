"""A browser hangs when it could have answered and did not, never because it is slow."""

import pytest

from captchad.browser.browsers.hang_judge import Activity, HangJudge, Wait

IDLE = (Activity(5.0, 1.0, is_stopped=False), Activity(5.0, 1.0, is_stopped=False))
STOPPED = (Activity(5.0, 1.0, is_stopped=True), Activity(5.4, 1.0, is_stopped=True))
RUNNING = (Activity(5.0, 1.0, is_stopped=False), Activity(5.4, 1.0, is_stopped=False))
STARVED = (Activity(5.0, 1.0, is_stopped=False), Activity(5.0, 1.4, is_stopped=False))
ENDING = (Activity(5.0, 1.0, is_stopped=False), Activity(3.0, 0.5, is_stopped=False))


def count_waits(activity: tuple[Activity | None, Activity | None], pressure: float = 0.0) -> int:
    """Return how many waits of half a second it takes until the browser is said to hang."""
    judge = HangJudge()
    for number in range(1, 1000):
        judge.note(Wait(0.5, *activity, pressure))
        if judge.is_hung:
            return number
    raise AssertionError


def test_one_that_has_nothing_to_do_and_does_not_answer_hangs_within_seconds() -> None:
    assert count_waits(IDLE) == 10


@pytest.mark.parametrize("pressure", [0.0, 0.5, 1.0])
def test_one_that_was_stopped_hangs_within_seconds_however_busy_the_machine_is(pressure: float) -> None:
    assert count_waits(STOPPED, pressure) == 10


@pytest.mark.parametrize("activity", [RUNNING, STARVED, ENDING], ids=["running", "starved", "ending"])
def test_one_that_works_or_waits_for_a_processor_is_left_alone_for_long_but_not_for_ever(
    activity: tuple[Activity, Activity],
) -> None:
    assert count_waits(activity) >= 100


def test_an_answer_may_be_among_what_this_process_has_not_read_yet() -> None:
    judge = HangJudge()
    for _ in range(90):
        judge.note(Wait(0.5, *IDLE, 0.0, own_share=0.9))
    assert not judge.is_hung


def test_on_a_machine_without_a_free_processor_silence_says_little() -> None:
    assert count_waits(IDLE, pressure=1.0) >= 100


def test_one_elsewhere_is_given_longer_as_nothing_is_seen_of_its_processes() -> None:
    assert count_waits((None, None)) == 40


def test_a_suspect_is_known_before_it_is_killed() -> None:
    judge = HangJudge()
    judge.note(Wait(0.5, *IDLE, 0.0))
    assert not judge.is_suspect
    judge.note(Wait(0.5, *IDLE, 0.0))
    assert judge.is_suspect
    assert not judge.is_hung
