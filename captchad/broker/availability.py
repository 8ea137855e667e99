"""Whether Redis answers and takes writes: by what has failed, and what has succeeded since."""

from dataclasses import dataclass, field

from captchad.broker.failures import Failure, FailureKind


@dataclass(frozen=True, slots=True)
class Operation:
    """What a call does; one that writes tells more by succeeding, since reads go on where writes are refused."""

    name: str
    is_write: bool


READING = Operation("reading", is_write=False)


@dataclass(slots=True)
class Availability:
    """What is wrong with Redis now, as one process has met it.

    `notice` and `recover` say whether anything has changed, so that each change can be logged once. A full memory
    refuses new tasks alone, and a missing right the operations that need it: the rest goes on.
    """

    _failure: Failure | None = None
    _fullness: Failure | None = None
    _forbidden: dict[str, Failure] = field(default_factory=dict)
    has_answered: bool = False
    outages: int = 0
    noticed: int = 0
    """How many failures were noticed so far."""

    @property
    def obstacle(self) -> str:
        """Why Redis can't be worked with; empty where it can."""
        if self._failure is not None:
            return self._failure.message
        if not self.has_answered:
            return "not connected to Redis yet"
        return next((failure.message for failure in self._forbidden.values()), "")

    @property
    def fullness(self) -> str:
        """Why Redis takes no new tasks although it can be worked with; empty where it takes them."""
        return self._fullness.message if self._fullness is not None else ""

    def notice(self, failure: Failure, operation: Operation) -> bool:
        """Take note of a failure; return whether it is news."""
        self.noticed += 1
        if failure.kind is FailureKind.FULL:
            is_news, self._fullness = self._fullness is None, failure
        elif failure.kind is FailureKind.FORBIDDEN:
            # Many operations need the same right, such as that to run scripts.
            is_news = failure.message not in {known.message for known in self._forbidden.values()}
            self._forbidden[operation.name] = failure
        else:
            is_news = self._failure is None or not self._failure.is_like(failure)
            self.outages += self._failure is None and self.has_answered
            self._failure = failure
        return is_news

    def recover(self, operation: Operation, noticed: int | None = None) -> bool:
        """Take note of a success; return whether it ends a failure.

        `noticed` is how many failures had been noticed when the operation began: where there are more by now, it may
        have succeeded before the last one, and says nothing about it.
        """
        self.has_answered = True
        if noticed not in (None, self.noticed):
            return False
        is_back = self._failure is not None and (operation.is_write or self._failure.concerns_reads)
        if is_back:
            self._failure = None
        granted = self._forbidden.get(operation.name)
        if granted is not None:
            # Others that lacked the same right need not be tried first: nobody may ask for them for long.
            kept = {name: failure for name, failure in self._forbidden.items() if failure.message != granted.message}
            self._forbidden = kept
        return granted is not None or is_back

    def make_room(self) -> bool:
        """Take note that the memory is not full; return whether it was."""
        was_full, self._fullness = self._fullness is not None, None
        return was_full
