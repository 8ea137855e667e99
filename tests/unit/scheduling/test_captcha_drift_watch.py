"""Observations are folded into their targets' states in order, each into its own."""

import random

from captchad.domain.captcha_drift import LEARNING_VISITS, CaptchaObservation, CaptchaState, DriftSignal
from captchad.scheduling.captcha_drift_watch import fold


def see(target: str, width: int) -> CaptchaObservation:
    return CaptchaObservation(target, width, 60, 0.95, "model")


def test_each_target_has_its_own_baseline() -> None:
    states = {"a": CaptchaState(), "b": CaptchaState()}
    seen = [see("a", 160), see("b", 200)] * LEARNING_VISITS + [see("a", 200)] * 20
    folded, changed = fold(states, seen, random.Random(1).random)
    assert changed == {"a"}
    assert (folded["a"].changes, folded["a"].signals) == (1, (DriftSignal.SIZE,))
    assert (folded["b"].changes, folded["b"].visits) == (0, LEARNING_VISITS)


def test_a_change_is_found_also_where_more_visits_follow_in_the_same_batch() -> None:
    seen = [see("a", 160)] * LEARNING_VISITS + [see("a", 200)] * 60
    folded, changed = fold({"a": CaptchaState()}, seen, random.Random(1).random)
    assert changed == {"a"}
    assert folded["a"].is_learning
    assert 0 < folded["a"].visits < 60
