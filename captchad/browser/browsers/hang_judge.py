"""Decides whether a browser that owes an answer hangs, by the CPU time it had; no I/O happens here."""

from dataclasses import dataclass

SUSPECT_SECONDS = 1.0
HUNG_SECONDS = 5.0
"""After this much silence in which it could have answered, a browser takes no further page, or is killed."""

WORKING_SHARE = 0.05
"""A browser was working if its processes ran, or waited for a processor, for this share of a period."""

READING_SHARE = 0.5
"""Above this share of a processor, this process may have the answer among what it has not read yet."""

# A browser that works without answering is killed after HUNG_SECONDS / WORKING_WEIGHT: 50 s.
WORKING_WEIGHT = 0.1
# A browser elsewhere may be as busy as any, and nobody can see it: it gets 20 s.
UNKNOWN_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Activity:
    """CPU times since their start of the processes that must answer; renderers are not among them.

    `ran_seconds` and `queued_seconds` (ready to run, without a processor) are added up over all their threads.
    """

    ran_seconds: float
    queued_seconds: float
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """A short wait for an answer; `before` and `after` are None where the browser's processes can't be seen.

    `pressure` is the share of the wait (0..1) in which some program of this machine lacked a processor, `own_share` the
    processors that this process itself used: an answer may be waiting here to be read.
    """

    seconds: float
    before: Activity | None
    after: Activity | None
    pressure: float
    own_share: float = 0.0


class HangJudge:
    """Adds up the time in which a browser could have answered.

    Time in which it works counts little, so that a slow browser is not killed but an endless loop is still found.
    A stopped process counts in full: it will never answer.
    """

    def __init__(self) -> None:
        self._silent_seconds = 0.0

    @property
    def is_suspect(self) -> bool:
        """Whether the browser should take no further page."""
        return self._silent_seconds >= SUSPECT_SECONDS

    @property
    def is_hung(self) -> bool:
        """Whether the browser should be killed."""
        return self._silent_seconds >= HUNG_SECONDS

    def note(self, wait: Wait) -> None:
        """Add a wait that brought no answer."""
        self._silent_seconds += wait.seconds * _weigh(wait)


def _weigh(wait: Wait) -> float:
    """Return the share of a wait that counts (0..1)."""
    before, after = wait.before, wait.after
    if before is not None and after is not None and before.is_stopped and after.is_stopped:
        return 1.0
    if wait.own_share >= READING_SHARE:
        return WORKING_WEIGHT
    if before is None or after is None:
        # While this machine is short of processors, the delay may be our own driver's.
        return UNKNOWN_WEIGHT * (1 - wait.pressure)
    # Threads that ended meanwhile took their times with them, so a negative difference is work too.
    busy_seconds = abs(after.ran_seconds - before.ran_seconds) + abs(after.queued_seconds - before.queued_seconds)
    is_working = busy_seconds >= WORKING_SHARE * wait.seconds
    return WORKING_WEIGHT if is_working else max(WORKING_WEIGHT, 1 - wait.pressure)
