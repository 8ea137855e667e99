"""How integers in JSON are read."""

DIGITS_LIMIT = 300
"""As many as any float can take; Python refuses to convert some thousands, for the time that it would take."""


def read_integer(digits: str) -> int:
    """Return an integer; for one of more digits than the limit another, which is too large for anything as well.

    So it is refused where and as every integer that is too large.
    """
    return int(digits[:DIGITS_LIMIT])
