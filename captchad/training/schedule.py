"""The learning rate as a function of the step."""

import math

from captchad.training.recipe import Schedule


def learning_rate_at(step: int, schedule: Schedule) -> float:
    """Return a step's learning rate: rising in a line, at its peak, then falling along half a cosine."""
    if step < schedule.warm_up_steps:
        return schedule.peak_learning_rate * (step + 1) / schedule.warm_up_steps
    fall_start = schedule.steps - schedule.fall_steps
    if step < fall_start:
        return schedule.peak_learning_rate
    share = min(1.0, (step - fall_start) / max(1, schedule.fall_steps))
    fallen = (1 + math.cos(math.pi * share)) / 2
    return schedule.least_learning_rate + (schedule.peak_learning_rate - schedule.least_learning_rate) * fallen
