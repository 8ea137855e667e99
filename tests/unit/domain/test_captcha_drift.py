"""The test of drift: its bets are fair, its false alarms as rare as promised, and changes are found in time.

CAPTCHAD_PROOF_DRIFT_MONTHS and _RUNS make the simulations longer; their figures are printed.
"""

import itertools
import os
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.captcha_drift import (
    BETS,
    CONFIDENCE_BINS,
    LEARNING_VISITS,
    RANKED_SIZES_LIMIT,
    RECOGNISERS_LIMIT,
    SIZES_LIMIT,
    VISITS_PER_FALSE_ALARM,
    Bet,
    CaptchaObservation,
    CaptchaState,
    DriftSignal,
    observe,
)
from tests.unit.domain.drift_simulation import (
    CHANGES,
    GOOD,
    SMALL_CHANGES,
    STEADY,
    VISITS_A_MONTH,
    Look,
    Schedule,
    count_false_alarms,
    measure_delay,
)

MONTHS = int(os.environ.get("CAPTCHAD_PROOF_DRIFT_MONTHS", "1"))
RUNS = int(os.environ.get("CAPTCHAD_PROOF_DRIFT_RUNS", "10"))
FOUND_WITHIN_VISITS = 100
LATE_SHARE, SMALL_AND_EARLY_LATE_SHARE = 0.05, 0.15
EARLY_VISITS, LATE_VISITS = LEARNING_VISITS + 200, 5 * LEARNING_VISITS
STEPS = 1000
SEEN = CaptchaObservation("site", 160, 60, 0.9, "model", True)


@pytest.mark.parametrize("bet", [bet for bets in BETS.values() for bet in bets])
def test_a_bet_gains_nothing_in_the_mean_on_a_uniform_p_value(bet: Bet) -> None:
    # Finer where the pay grows without end: p is a power of what is spaced evenly.
    edges = [(step / STEPS) ** 8 for step in range(STEPS + 1)]
    if bet.is_upper:
        edges = [1 - edge for edge in reversed(edges)]
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    widths = [high - low for low, high in itertools.pairwise(edges)]
    assert sum(bet.pay(p) * width for p, width in zip(middles, widths, strict=True)) == pytest.approx(1.0, abs=0.01)
    assert 0 < bet.pay(1.0) < float("inf")
    assert 0 < bet.pay(0.0) < float("inf")


def test_the_promise_is_less_than_one_false_alarm_a_month() -> None:
    # Each run from one alarm to the next ends within a month with at most this probability, so that in the mean a
    # month has at most p + p^2 + p^3 + ... of them.
    probability = VISITS_A_MONTH / VISITS_PER_FALSE_ALARM
    assert probability / (1 - probability) < 1


@pytest.mark.parametrize("name", STEADY)
def test_without_a_change_there_is_less_than_one_alarm_a_month(name: str) -> None:
    schedule: Schedule = STEADY[name]
    alarms = sum(count_false_alarms(schedule, VISITS_A_MONTH, seed) for seed in range(MONTHS))
    print(f"\n{name}: {alarms} false alarms in {MONTHS} months of {VISITS_A_MONTH} visits")
    assert alarms < MONTHS


@pytest.mark.parametrize("changed_at", [EARLY_VISITS, LATE_VISITS])
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_within_a_hundred_visits(name: str, changed_at: int) -> None:
    is_small_and_early = name in SMALL_CHANGES and changed_at == EARLY_VISITS
    measured = [measure_delay(*CHANGES[name], changed_at, seed) for seed in range(RUNS)]
    delays = sorted(delay for delay in measured if delay is not None)
    late = sum(delay > FOUND_WITHIN_VISITS for delay in delays)
    print(
        f"\n{name}, after {changed_at} visits: found after {delays[len(delays) // 2]} visits (median), "
        f"{delays[-1]} at most; {late} of {len(delays)} later than {FOUND_WITHIN_VISITS}"
    )
    assert late <= len(delays) * (SMALL_AND_EARLY_LATE_SHARE if is_small_and_early else LATE_SHARE)
    assert len(delays) >= RUNS * 0.9


def watch(state: CaptchaState, look: Look, visits: int, seed: int = 1, is_form: bool = False) -> CaptchaState:
    rng = random.Random(seed)
    for _ in range(visits):
        state, _ = observe(state, look.visit(rng, is_form), rng.random)
    return state


def test_the_baseline_is_learned_anew_after_an_alarm() -> None:
    small, large = GOOD, replace(GOOD, sizes=((200, 80),))
    state = watch(CaptchaState(), small, LEARNING_VISITS + 50)
    state = watch(state, large, 60)
    assert (state.changes, state.signals, state.is_learning) == (1, (DriftSignal.SIZE,), True)
    state = watch(state, large, 2000)
    assert (state.changes, state.is_learning) == (1, False)
    assert watch(state, small, 60).changes == 2


def test_a_new_model_is_no_change_of_the_captcha() -> None:
    worse = CaptchaObservation("site", 160, 60, 0.2, "another model")
    state = watch(CaptchaState(), GOOD, LEARNING_VISITS + 50)
    rng = random.Random(1)
    for _ in range(1000):
        state, has_changed = observe(state, worse, rng.random)
        assert not has_changed
    assert (state.changes, state.recognisers, state.visits) == (0, ("another model",), 1000)


def test_members_of_an_ensemble_that_take_turns_share_a_baseline() -> None:
    state, rng = CaptchaState(), random.Random(1)
    for number in range(600):
        state, _ = observe(state, replace(SEEN, recogniser=("a", "b")[number % 2]), rng.random)
    assert (state.visits, state.recognisers) == (600, ("a", "b"))


def test_visits_without_a_verdict_say_nothing_of_answers() -> None:
    state = watch(CaptchaState(), GOOD, 300)
    assert state.verified.visits == 0
    assert watch(state, GOOD, 10, is_form=True).verified.visits == 10


@given(st.lists(st.tuples(st.integers(1, 20_000), st.floats(0, 1), st.text(max_size=2)), max_size=400), st.randoms())
def test_what_is_remembered_is_bounded(visits: list[tuple[int, float, str]], rng: random.Random) -> None:
    state = CaptchaState()
    for width, confidence, recogniser in visits:
        seen = CaptchaObservation("site", width, 60, confidence, recogniser, rng.random() < confidence)
        state, _ = observe(state, seen, rng.random)
    assert len(state.size.counts) <= SIZES_LIMIT + 1
    kinds = RANKED_SIZES_LIMIT + 1
    assert len(state.confidence.counts) <= kinds * (CONFIDENCE_BINS + 1)
    assert len(state.verified.counts) <= kinds * 2
    assert len(state.recognisers) <= RECOGNISERS_LIMIT
    assert state.size.visits == state.confidence.visits == state.visits


@given(st.integers(0, 2**32))
def test_the_same_visits_and_draws_give_the_same_answer(seed: int) -> None:
    assert watch(CaptchaState(), GOOD, 250, seed) == watch(CaptchaState(), GOOD, 250, seed)
