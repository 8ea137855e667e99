"""Durations as people write them: 45s, 30m, 12h, 90d."""

import re

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,6})([smhd])", re.ASCII)


def parse_duration(text: str) -> int:
    """Return a duration in seconds; ValueError where the text is none."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration; write 45s, 30m, 12h or 90d")
    return int(found[1]) * UNIT_SECONDS[found[2]]
