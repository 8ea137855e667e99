"""The site's secrets: the text of the last picture of each visit and session."""

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
    """A picture a session has yet to answer."""

    visit: str
    text: str


class Record:
    """Records what was drawn last for each visit, what each session must answer, and whether it did."""

    def __init__(self) -> None:
        self._truths: BoundedTable[str] = BoundedTable(VISITS_LIMIT)
        self._verdicts: BoundedTable[bool] = BoundedTable(VISITS_LIMIT)
        self._challenges: BoundedTable[Challenge] = BoundedTable(SESSIONS_LIMIT)

    def note_picture(self, session: str, visit: str, text: str) -> None:
        """Note that a picture of `text` was drawn; the previous one no longer counts."""
        self._truths.put(visit, text)
        self._challenges.put(session, Challenge(visit, text))

    def check_answer(self, session: str, answer: str) -> bool:
        """Say whether the answer is right, letter case aside; each picture can be answered once."""
        # Taken, so that a picture can't be guessed at twice.
        challenge = self._challenges.take(session)
        if challenge is None:
            return False
        is_right = answer.strip().casefold() == challenge.text.casefold()
        self._verdicts.put(challenge.visit, is_right)
        return is_right

    def truth(self, visit: str) -> str | None:
        """Return the text of the last picture drawn for a visit, or None where none was."""
        return self._truths.get(visit)

    def verdict(self, visit: str) -> bool | None:
        """Return whether the visit's last answer was right, or None where none was given."""
        return self._verdicts.get(visit)
