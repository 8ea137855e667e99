"""Estimates when a task submitted now will have ended."""

import math
from dataclasses import dataclass

DEFAULT_PROCESSING_SECONDS = 5.0
MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class TargetOutlook:
    """What a new task of a target waits for besides a slot.

    `ahead` are the target's own tasks that wait or run. A picture opens no page: neither a closure nor
    `max_concurrent` concerns it.
    """

    ahead: int
    visits: int
    max_per_minute: int
    max_concurrent: int
    closed_seconds: float = 0.0
    opens_page: bool = True


def estimate_wait_seconds(
    ahead: int, slots: int, mean_processing_seconds: float | None, target: TargetOutlook | None = None
) -> int:
    """Return whole seconds until the end of a task with `ahead` others before it, on `slots` that work side by side.

    Without a recent mean, a cautious default is used; without slots, one slot. The target may make it longer.
    """
    mean_seconds = DEFAULT_PROCESSING_SECONDS if mean_processing_seconds is None else mean_processing_seconds
    wait_seconds = _count_rounds(ahead, slots) * mean_seconds
    if target is not None:
        wait_seconds = max(wait_seconds, _estimate_target_seconds(target, mean_seconds))
    return max(1, math.ceil(wait_seconds))


def _estimate_target_seconds(target: TargetOutlook, mean_seconds: float) -> float:
    # Whatever the visits of the last minute leave goes at once, the rest at the pace of the limit.
    beyond = max(0, target.ahead + 1 - max(0, target.max_per_minute - target.visits))
    rate_seconds = beyond * MINUTE_SECONDS / target.max_per_minute + mean_seconds
    if not target.opens_page:
        return rate_seconds
    return target.closed_seconds + max(rate_seconds, _count_rounds(target.ahead, target.max_concurrent) * mean_seconds)


def _count_rounds(ahead: int, slots: int) -> int:
    return max(0, ahead) // max(1, slots) + 1
