"""The limits of what is taken from a page: the scripts keep to them, and what arrives is cut to them again here."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from captchad.domain.page import SESSION_LIMIT_BYTES, STORED_VALUES_LIMIT

WORDS_LENGTH = 300
TEXT_LENGTH = 80
BESIDE_LENGTH = 2 * TEXT_LENGTH
URL_LENGTH = 4096
STATE_LENGTH = 64
DIALOG_LENGTH = 4096

CANDIDATES_LIMIT = 40
FIELDS_LIMIT = 60
NEAR_LIMIT = 3
CHILD_FRAMES_LIMIT = 40
CONTROLS_LIMIT = 200
PLACES_LIMIT = 8
ANSWERED_LENGTH = 20_000
LINES_LIMIT = 200
MESSAGES_LIMIT = 20

ANSWER_LENGTH = 4 * 1024 * 1024
"""Of a whole answer; only a picture comes near it."""

SESSION_LENGTH = SESSION_LIMIT_BYTES

NUMBER_LIMIT = 1_000_000_000

INLINE_LENGTH = 8192
"""Folding and searching more text than this would hold up the event loop for longer than a few milliseconds."""

SCRIPT_LIMITS = {
    "WORDS_LENGTH": WORDS_LENGTH,
    "TEXT_LENGTH": TEXT_LENGTH,
    "URL_LENGTH": URL_LENGTH,
    "CANDIDATES_LIMIT": CANDIDATES_LIMIT,
    "FIELDS_LIMIT": FIELDS_LIMIT,
    "NEAR_LIMIT": NEAR_LIMIT,
    "FRAMES_LIMIT": CHILD_FRAMES_LIMIT,
    "CONTROLS_LIMIT": CONTROLS_LIMIT,
    "ANSWERED_LENGTH": ANSWERED_LENGTH,
    "LINES_LIMIT": LINES_LIMIT,
    "MESSAGES_LIMIT": MESSAGES_LIMIT,
    "ANSWER_LENGTH": ANSWER_LENGTH,
    "SESSION_LENGTH": SESSION_LENGTH,
    "STORED_VALUES_LIMIT": STORED_VALUES_LIMIT,
}
"""Those that scripts know, by their names there."""

TAMPERED = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What reading an answer of another shape than the script's raises."""

_WHOLE_AUTHORITY = re.compile(r"[a-z+.-]{1,64}:(//[^/?#\\]{0,1024}[/?#\\]|[^/])", re.IGNORECASE)

Result = TypeVar("Result")


def cut_url(url: str) -> str:
    """Return the beginning of an address: longer ones are no captcha's, and urlsplit remembers what it is given.

    Of one that is cut before its host is over only the scheme is left, so that it can't pass for another's.
    """
    if len(url) <= URL_LENGTH or _WHOLE_AUTHORITY.match(url):
        return url[:URL_LENGTH]
    return url[:URL_LENGTH].partition(":")[0] + ":"


class Facts:
    """One object of a script's answer, each member cut to its limit; TAMPERED where it is of another type."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def text(self, name: str, limit: int) -> str:
        """Return a text's beginning."""
        value = self._members[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is no text")
        return value[:limit]

    def optional_text(self, name: str, limit: int) -> str | None:
        """Return a text's beginning, None where there is none."""
        return None if self._members[name] is None else self.text(name, limit)

    def number(self, name: str) -> int:
        """Return a whole number."""
        return read_number(self._members[name])

    def measure(self, name: str) -> float:
        """Return a number with its fraction."""
        return float(self._members[name])

    def flag(self, name: str) -> bool:
        """Return whether something holds."""
        return bool(self._members[name])

    def several(self, name: str, limit: int) -> list[Any]:
        """Return the first members of a list."""
        value = self._members[name]
        if not isinstance(value, list):
            raise TypeError(f"{name} is no list")
        return value[:limit]

    def each(self, name: str, limit: int) -> "list[Facts]":
        """Return the first objects of a list."""
        return [Facts(one) for one in self.several(name, limit)]


def read_number(value: Any) -> int:
    """Return a whole number no larger than any that a page has."""
    return max(-NUMBER_LIMIT, min(int(value), NUMBER_LIMIT))


async def work_aside(length: int, work: Callable[[], Result]) -> Result:
    """Do work on so many characters of a page: in a thread where they are many, so that the event loop goes on."""
    return await asyncio.to_thread(work) if length > INLINE_LENGTH else work()
