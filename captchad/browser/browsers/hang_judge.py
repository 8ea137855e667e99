"""Decides whether a browser that owes an answer hangs, by what it had to work with; no I/O happens here."""

from dataclasses import dataclass

SUSPECT_SECONDS = 1.0
HUNG_SECONDS = 5.0
"""A browser that was silent for so long, while it could have answered, takes no further page, or is killed."""

WORKING_SHARE = 0.05
"""A browser whose processes ran, or waited for a processor, for this share of a time was at work."""

READING_SHARE = 0.5
"""A process that uses so much of a processor may have the answer among what it has not read yet."""

WORKING_WEIGHT = 0.1
UNKNOWN_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Activity:
    """What the processes that must answer have had since they began; the renderers of pages are not among them.

    `ran_seconds` and `queued_seconds` (ready to run, without a processor) are sums over all their threads.
    """

    ran_seconds: float
    queued_seconds: float
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """A short time waited for an answer; `after` and `before` are None where the browser's processes can't be seen.

    `pressure` is the share of the time (0..1) in which some program of this machine was short of a processor, and
    `own_share` the processors that this process itself used, in all: an answer may be waiting here to be read.
    """

    seconds: float
    before: Activity | None
    after: Activity | None
    pressure: float
    own_share: float = 0.0


class HangJudge:
    """Adds up the time in which a browser could have answered.

    Time in which it works counts little, so that a browser is not killed for being slow, and one that is busy for ever
    is found in the end. A stopped process counts in full: nothing it waits for will ever come.
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
        """Take in a further time without an answer."""
        self._silent_seconds += wait.seconds * _weigh(wait)


def _weigh(wait: Wait) -> float:
    """Return how much of a time counts (0..1)."""
    before, after = wait.before, wait.after
    if before is not None and after is not None and before.is_stopped and after.is_stopped:
        return 1.0
    if wait.own_share >= READING_SHARE:
        return WORKING_WEIGHT
    if before is None or after is None:
        return UNKNOWN_WEIGHT * (1 - wait.pressure)
    # Threads that ended meanwhile took their times with them: a negative sum is work too.
    busy_seconds = abs(after.ran_seconds - before.ran_seconds) + abs(after.queued_seconds - before.queued_seconds)
    is_working = busy_seconds >= WORKING_SHARE * wait.seconds
    return WORKING_WEIGHT if is_working else max(WORKING_WEIGHT, 1 - wait.pressure)
