"""Decides what follows when a supervised process ends by itself; pure, so that every case can be tried."""

from dataclasses import dataclass

from captchad.domain.exit_codes import EXIT_WRONG_USAGE

DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""At once the first time, then ever later, to half a minute."""

STABLE_SECONDS = 10.0
"""A process that was ready for this long has a clean sheet."""

HOPELESS_STARTS = 3


@dataclass(frozen=True, slots=True)
class Ending:
    """How one life of the process went; `ready_seconds` is None where it never got ready."""

    exit_code: int
    ready_seconds: float | None


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after a pause."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Don't start it again: it has never worked."""


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of a process's lives."""

    failures: int = 0
    has_been_ready: bool = False

    def judge(self, ending: Ending) -> tuple["History", Restart | GiveUp]:
        """Return the new history and what to do.

        A process that has worked before is started again for ever, since what stops it may pass. One that never
        has is wrongly set up: repeating that helps nobody.
        """
        has_been_ready = self.has_been_ready or ending.ready_seconds is not None
        is_stable = ending.ready_seconds is not None and ending.ready_seconds >= STABLE_SECONDS
        failures = 1 if is_stable else self.failures + 1
        after = History(failures, has_been_ready)
        if not has_been_ready and (failures >= HOPELESS_STARTS or ending.exit_code == EXIT_WRONG_USAGE):
            return after, GiveUp()
        return after, Restart(DELAYS_SECONDS[min(failures, len(DELAYS_SECONDS)) - 1])
