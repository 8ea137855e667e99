"""Shares of what was counted, with the interval in which the true share lies 95 times of 100."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """`right` of `total`, at least one; `low` and `high` (0..1) bound the true share."""

    right: int
    total: int
    share: float
    low: float
    high: float


def estimate_proportion(right: int, total: int) -> Proportion:
    """Return the share of independent trials with Wilson's interval."""
    share = right / total
    return Proportion(right, total, share, *find_wilson_interval(share, total))


def estimate_clustered_proportion(counts: Sequence[tuple[int, int]]) -> Proportion:
    """Return the share over groups of (right, total) trials that fail together, as characters of one picture do.

    Wilson's interval for as many independent trials as would scatter like the groups (the ratio estimator's
    variance): at least one for each group, at most all.
    """
    right, total = sum(one for one, _ in counts), sum(one for _, one in counts)
    share = right / total
    groups = len(counts)
    spread = sum((group_right - share * group_total) ** 2 for group_right, group_total in counts)
    variance = spread * groups / max(groups - 1, 1) / total**2
    trials = share * (1 - share) / variance if variance > 0 else float(groups)
    return Proportion(right, total, share, *find_wilson_interval(share, min(max(trials, groups), total)))


def find_wilson_interval(share: float, trials: float) -> tuple[float, float]:
    """Return the bounds (0..1) of Wilson's 95 % score interval."""
    square = Z_95**2 / trials
    middle = (share + square / 2) / (1 + square)
    reach = Z_95 * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))
