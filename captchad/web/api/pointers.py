"""JSON pointers into a body."""

from collections.abc import Iterable

_KEY_MARK = "[key]"
"""What the validation library appends where the name itself, not its value, is wrong."""


def make_pointer(location: Iterable[str | int]) -> str:
    """Return the RFC 6901 pointer of a place in a body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location if part != _KEY_MARK)
