"""McNemar's test in its exact form: whether one reader reads more than another of the same pictures."""

from math import comb

LEVEL = 0.05
"""Below this probability of so much gain by chance alone a new model counts as the better reader."""


def measure_chance(gained: int, lost: int) -> float:
    """Return the probability of so many gained or more, if each picture that differs were as likely lost as gained."""
    differing = gained + lost
    return float(sum(comb(differing, count) for count in range(gained, differing + 1)) / 2**differing)
