"""The numbers that other services' clients know tasks by, instead of captchad's own ids.

A number is the Idempotency-Key of its submit: that leads back to the task for as long as its record lives, for the API
key that sent it and no other.
"""

import secrets

NUMBER_LIMIT = 2**53
"""Up to here every number is exact in JavaScript."""
_LONGEST_DIGITS = len(str(NUMBER_LIMIT))


def make_number() -> int:
    """Make the number of a new task."""
    return 1 + secrets.randbelow(NUMBER_LIMIT - 1)


def name_number(number: int) -> str:
    """Return the Idempotency-Key of a number; no header can spell it, for it has a space."""
    return f"solver {number}"


def read_number(value: object) -> int | None:
    """Return the number that a client sent, as a number or as text; None where it is none that was ever made."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_DIGITS:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 < value < NUMBER_LIMIT else None
