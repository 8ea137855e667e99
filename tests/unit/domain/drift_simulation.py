"""Visits to sites whose captcha changes or does not, drawn at random, and what the test of drift says of them."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from captchad.domain.captcha_drift import CaptchaObservation, CaptchaState, observe

VISITS_A_MONTH = 30_000


@dataclass(frozen=True, slots=True)
class Look:
    """One kind of captcha: its sizes, and how it is read.

    Confidences are drawn from a beta distribution; an answer is right with its confidence, or with `right`.
    """

    alpha: float
    beta: float
    right: float | None = None
    sizes: Sequence[tuple[int, int]] = ((160, 60),)

    def visit(self, rng: random.Random, is_form: bool) -> CaptchaObservation:
        width, height = rng.choice(self.sizes)
        confidence = rng.betavariate(self.alpha, self.beta)
        is_right = rng.random() < (confidence if self.right is None else self.right)
        return CaptchaObservation("site", width, height, confidence, "model", is_right if is_form else None)


Schedule = Callable[[random.Random], Iterator[Look]]

EASY, GOOD, FAIR, POOR = Look(30, 1), Look(12, 1), Look(6, 2), Look(2, 3)
"""Read with a mean confidence of 0.97, 0.92, 0.75 and 0.40."""
MANY_SIZES = Look(12, 1, sizes=[(width, 60) for width in range(120, 180)])
ENDLESS_SIZES = Look(12, 1, sizes=[(width, height) for width in range(100, 400) for height in range(40, 90)])
WIDE_FAIR = Look(6, 2, sizes=((200, 80),))


def keep(look: Look) -> Schedule:
    """One look for ever."""

    def visits(_: random.Random) -> Iterator[Look]:
        while True:
            yield look

    return visits


def alternate(*looks: Look) -> Schedule:
    """One after the other, in strict turns."""

    def visits(_: random.Random) -> Iterator[Look]:
        while True:
            yield from looks

    return visits


def mix(*looks: Look) -> Schedule:
    """Any of them at random."""

    def visits(rng: random.Random) -> Iterator[Look]:
        while True:
            yield rng.choice(looks)

    return visits


def take_turns(mean_visits: int, *looks: Look) -> Schedule:
    """One for a while, then another, as where two servers are behind one name."""

    def visits(rng: random.Random) -> Iterator[Look]:
        look = rng.choice(looks)
        while True:
            yield look
            if rng.random() < 1 / mean_visits:
                look = rng.choice([other for other in looks if other is not look])

    return visits


STEADY: dict[str, Schedule] = {
    "one captcha, easy": keep(EASY),
    "one captcha, half read": keep(POOR),
    "60 widths": keep(MANY_SIZES),
    "a new size with each picture": keep(ENDLESS_SIZES),
    "two captchas, in strict turns": alternate(EASY, WIDE_FAIR),
    "two captchas, at random": mix(GOOD, WIDE_FAIR),
    "two captchas, for 20 visits each": take_turns(20, GOOD, WIDE_FAIR),
}
CHANGES: dict[str, tuple[Look, Look]] = {
    "another size alone": (GOOD, Look(12, 1, sizes=((180, 60),))),
    "confidence 0.97 to 0.92": (EASY, GOOD),
    "confidence 0.97 to 0.75": (EASY, FAIR),
    "confidence 0.92 to 0.75": (GOOD, FAIR),
    "confidence 0.75 to 0.40": (FAIR, POOR),
    "confidence 0.40 to 0.75": (POOR, FAIR),
    "right 95 % to 60 %, confidence the same": (Look(30, 1, 0.95), Look(30, 1, 0.6)),
    "right 70 % to 20 %, confidence the same": (Look(6, 2, 0.7), Look(6, 2, 0.2)),
}

SMALL_CHANGES = frozenset({"confidence 0.97 to 0.92", "right 95 % to 60 %, confidence the same"})
"""To be told in time, these need more visits before them."""


def count_false_alarms(schedule: Schedule, visits: int, seed: int) -> int:
    """Return how often a change was found in so many visits that have none."""
    rng, state = random.Random(seed), CaptchaState()
    looks = schedule(rng)
    alarms = 0
    for _ in range(visits):
        state, has_changed = observe(state, next(looks).visit(rng, is_form=True), rng.random)
        alarms += has_changed
    return alarms


def measure_delay(before: Look, after: Look, changed_at: int, seed: int, give_up: int = 1000) -> int | None:
    """Return how many visits after the change it was found; None where it was found too early."""
    rng, state = random.Random(seed), CaptchaState()
    for _ in range(changed_at):
        state, has_changed = observe(state, before.visit(rng, is_form=True), rng.random)
        if has_changed:
            return None
    for visit in range(1, give_up + 1):
        state, has_changed = observe(state, after.visit(rng, is_form=True), rng.random)
        if has_changed:
            return visit
    return give_up
