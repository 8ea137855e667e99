"""How long a task waits before its next attempt: `settle.lua` doubles the first delay with each, up to the longest."""

import random

FIRST_RETRY_DELAY_MS = 1_000
LONGEST_RETRY_DELAY_MS = 60_000
PASS_ON_DELAY_MS = 5_000
"""How long a task that this release can't read waits for a worker that may."""
_SHARES = (0.5, 1.0)


def draw_jitter() -> float:
    """Return the share of a delay that is waited, so that what failed together does not come back together."""
    return random.uniform(*_SHARES)  # noqa: S311 -- guards nothing
