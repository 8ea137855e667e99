"""Judges whether an answer was right, by what the page shows after it was sent; no I/O happens here."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from captchad.domain.page import Fill

# The times of docs/sessions-and-forms.md. Longer where nothing has moved yet: the answer may still be on its way.
QUIET_SECONDS = 1.0
UNMOVED_SECONDS = 3.0
# Some pages poll for ever.
BUSY_SECONDS = 8.0
PATIENCE_SECONDS = 10.0
_ANYTHING = "*"


class ConditionKind(Enum):
    """What a condition looks at."""

    CSS = auto()
    URL = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Condition:
    """A sign of what became of an answer: an element, an address or a text."""

    kind: ConditionKind
    value: str

    def matches_url(self, url: str) -> bool:
        """Whether the page's address matches; a pattern that begins with / matches path and query only."""
        if self.kind is not ConditionKind.URL:
            return False
        if self.value.startswith("/"):
            parts = urlsplit(url)
            url = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        return _matches_glob(self.value, url)

    def matches_text(self, text: str) -> bool:
        """Whether a text, such as a dialog's, contains the wanted one; case and white space make no difference."""
        return self.kind is ConditionKind.TEXT and normalise_text(self.value) in normalise_text(text)


def _matches_glob(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says, `*` being anything; in time that grows with the text alone."""
    first, *rest = pattern.split(_ANYTHING)
    if not rest:
        return text == first
    last = rest.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in rest:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def normalise_text(text: str) -> str:
    """Return a text in the form in which texts are compared."""
    return " ".join(text.split()).lower()


def read_condition(text: str | None) -> Condition | None:
    """Parse a condition as tasks write it."""
    if text is None:
        return None
    for prefix, kind in (("url:", ConditionKind.URL), ("text:", ConditionKind.TEXT)):
        if text.startswith(prefix):
            return Condition(kind, text.removeprefix(prefix))
    return Condition(ConditionKind.CSS, text)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where each condition is seen to hold at one moment; a place is a document or a dialog, and never comes again."""

    success: frozenset[Hashable] = frozenset()
    failure: frozenset[Hashable] = frozenset()
    rejected: frozenset[Hashable] = frozenset()


@dataclass(frozen=True, slots=True)
class Stillness:
    """What a page does at one moment; `quiet_seconds` counts from its last request, answer or new document.

    `is_leaving` while it waits for another document.
    """

    is_loaded: bool
    is_leaving: bool
    has_requests: bool
    has_moved: bool
    quiet_seconds: float

    @property
    def is_settled(self) -> bool:
        """Whether the page is unlikely to change any more by itself."""
        if self.is_leaving:
            return False
        needed_seconds = QUIET_SECONDS if self.has_moved else UNMOVED_SECONDS
        if self.has_requests or not self.is_loaded:
            needed_seconds = BUSY_SECONDS
        return self.quiet_seconds >= needed_seconds


BUSY = Stillness(is_loaded=False, is_leaving=True, has_requests=True, has_moved=True, quiet_seconds=0.0)
"""A page that has not settled, so that nothing follows from what does not show."""


class Verdict(Enum):
    """Whether an answer was right, or the form was rejected for what else is in it."""

    RIGHT = auto()
    WRONG = auto()
    REJECTED = auto()
    UNKNOWN = auto()

    @property
    def verified(self) -> bool | None:
        """The verdict as a result carries it."""
        return {Verdict.RIGHT: True, Verdict.WRONG: False}.get(self)


class Judge:
    """Decides on one answer.

    What showed before the answer was sent says nothing while the same document keeps showing it; a form that reacts
    to typing gets the time to settle. Rejection outweighs failure, and failure success. Once the page has settled:
    without failure's condition, an absent success is a wrong answer; without success's, an absent failure is a right
    one; with both, the page gets some time more; with neither, nobody knows. An absent rejection says nothing, nor does
    an absent success where the answer opened a window that can't be seen.
    """

    def __init__(self, fill: Fill, before_typing: Sighting, before_sending: Sighting) -> None:
        self._needs_success = fill.success is not None
        self._needs_failure = fill.failure is not None
        self._first_success, self._first_rejected = before_typing.success, before_typing.rejected
        self._old_success, self._old_failure = before_sending.success, before_sending.failure
        self._old_rejected = before_sending.rejected

    def judge(
        self, sighting: Sighting, stillness: Stillness, *, is_error_page: bool, has_lost_window: bool = False
    ) -> Verdict | None:
        """Return the verdict, or None while it is open; an error page is no proof that an answer was right."""
        # What has vanished once counts as new when it shows again.
        self._old_success &= sighting.success
        self._old_failure &= sighting.failure
        self._old_rejected &= sighting.rejected
        # In this order: one message may be both a rejection and a failure, and the form may show again with an error.
        if sighting.rejected - self._old_rejected:
            return Verdict.REJECTED
        if sighting.failure - self._old_failure:
            return Verdict.WRONG
        if sighting.success - self._old_success:
            return Verdict.RIGHT
        if not stillness.is_settled:
            return None
        return self._judge_settled(sighting, stillness, is_error_page=is_error_page, has_lost_window=has_lost_window)

    def _judge_settled(
        self, sighting: Sighting, stillness: Stillness, *, is_error_page: bool, has_lost_window: bool
    ) -> Verdict | None:
        if sighting.rejected - self._first_rejected:
            return Verdict.REJECTED
        if sighting.failure or sighting.success - self._first_success:
            return Verdict.WRONG if sighting.failure else Verdict.RIGHT
        if self._needs_success and self._needs_failure:
            return Verdict.UNKNOWN if stillness.quiet_seconds >= PATIENCE_SECONDS else None
        if self._needs_success:
            return Verdict.UNKNOWN if has_lost_window else Verdict.WRONG
        if self._needs_failure and not is_error_page:
            return Verdict.RIGHT
        return Verdict.UNKNOWN
