"""Estimates when a task submitted now will have ended."""

import math

DEFAULT_PROCESSING_SECONDS = 5.0


def estimate_wait_seconds(ahead: int, slots: int, mean_processing_seconds: float | None) -> int:
    """Return whole seconds until the end of a task with `ahead` others before it, on `slots` that work side by side.

    Without a recent mean, a cautious default is used; without slots, one slot.
    """
    mean_seconds = DEFAULT_PROCESSING_SECONDS if mean_processing_seconds is None else mean_processing_seconds
    rounds = max(0, ahead) // max(1, slots) + 1
    return max(1, math.ceil(rounds * mean_seconds))
