"""The site's secrets: what each visit and session has to answer, and whether it did."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

VISITS_LIMIT = 100_000
SESSIONS_LIMIT = 10_000
Value = TypeVar("Value")


class BoundedTable(Generic[Value]):
    """A mapping that forgets its oldest entry when it is full."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[str, Value] = OrderedDict()

    def put(self, key: str, value: Value) -> None:
        """Set an entry, which becomes the newest."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def get(self, key: str) -> Value | None:
        """Return an entry."""
        return self._entries.get(key)

    def take(self, key: str) -> Value | None:
        """Return an entry and forget it."""
        return self._entries.pop(key, None)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A puzzle that a session has yet to answer."""

    visit: str
    answer: str


class Record:
    """Records what each visit was asked last, what each session must answer, and what became of it."""

    def __init__(self) -> None:
        self._truths: BoundedTable[str] = BoundedTable(VISITS_LIMIT)
        self._verdicts: BoundedTable[bool] = BoundedTable(VISITS_LIMIT)
        self._challenges: BoundedTable[Challenge] = BoundedTable(SESSIONS_LIMIT)

    def note_puzzle(self, session: str, visit: str, answer: str) -> None:
        """Note that a puzzle was shown; the previous one no longer counts."""
        self._truths.put(visit, answer)
        self._challenges.put(session, Challenge(visit, answer))

    def check_answer(self, session: str, answer: str, *, is_rest_right: bool = True) -> bool:
        """Say whether the answer is right, letter case aside; each puzzle can be answered once.

        The visit's verdict is whether the rest of the form was right too.
        """
        # Taken, so that a picture can't be guessed at twice.
        challenge = self._challenges.take(session)
        if challenge is None:
            return False
        is_right = answer.strip().casefold() == challenge.answer.casefold()
        self._verdicts.put(challenge.visit, is_right and is_rest_right)
        return is_right

    def note_wrong(self, visit: str) -> None:
        """Note that a visit has sent another form than the one it was to send."""
        self._verdicts.put(visit, False)

    def truth(self, visit: str) -> str | None:
        """Return the answer of the last puzzle shown to a visit, or None where none was."""
        return self._truths.get(visit)

    def verdict(self, visit: str) -> bool | None:
        """Return whether what the visit sent last was right, or None where nothing was sent."""
        return self._verdicts.get(visit)
