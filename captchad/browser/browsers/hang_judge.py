"""Decides whether a browser that owes an answer hangs, by the CPU time it had; no I/O happens here."""

from dataclasses import dataclass

SUSPECT_SECONDS = 1.0
HUNG_SECONDS = 5.0
"""After this much silence in which it could have answered, a browser takes no further page, or is killed."""

WORKING_SHARE = 0.05
"""A browser was working if its processes ran, or waited for a processor, for this share of a period."""

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

    `pressure` is the share of the wait (0..1) in which some program of this machine lacked a processor.
    """

    seconds: float
    before: Activity | None
    after: Activity | None
    pressure: float


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
    if wait.before is None or wait.after is None:
        # While this machine is short of processors, the delay may be our own driver's.
        return UNKNOWN_WEIGHT * (1 - wait.pressure)
    if wait.before.is_stopped and wait.after.is_stopped:
        return 1.0
    ran_seconds = wait.after.ran_seconds - wait.before.ran_seconds
    queued_seconds = wait.after.queued_seconds - wait.before.queued_seconds
    # Threads that ended meanwhile took their times with them, so a negative difference is work too.
    is_working = abs(ran_seconds) + abs(queued_seconds) >= WORKING_SHARE * wait.seconds
    return WORKING_WEIGHT if is_working else max(WORKING_WEIGHT, 1 - wait.pressure)
