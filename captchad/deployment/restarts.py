"""Decides what to do when a supervised process ends by itself; no I/O happens here."""

from dataclasses import dataclass

from captchad.domain.exit_codes import EXIT_WRONG_USAGE

DELAYS_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Immediately the first time, then with growing delays of up to half a minute."""

STABLE_SECONDS = 10.0
"""After being ready for this long, earlier failures of a process no longer count."""

HOPELESS_STARTS = 3


@dataclass(frozen=True, slots=True)
class Ending:
    """How one run of the process ended; `ready_seconds` is None where it never became ready.

    `is_hopeless` says that the next start would fail for the same reason.
    """

    exit_code: int
    ready_seconds: float | None
    is_hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after a pause."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Don't start it again: it has never worked."""


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of a process's earlier runs."""

    failures: int = 0
    has_been_ready: bool = False

    def judge(self, ending: Ending) -> tuple["History", Restart | GiveUp]:
        """Return the new history and what to do.

        A process that has worked before is always restarted, since the cause may pass. One that never has is
        misconfigured, and restarting it would not help.
        """
        has_been_ready = self.has_been_ready or ending.ready_seconds is not None
        is_stable = ending.ready_seconds is not None and ending.ready_seconds >= STABLE_SECONDS
        failures = 1 if is_stable else self.failures + 1
        after = History(failures, has_been_ready)
        is_hopeless = ending.is_hopeless or ending.exit_code == EXIT_WRONG_USAGE or failures >= HOPELESS_STARTS
        if is_hopeless and not has_been_ready:
            return after, GiveUp()
        return after, Restart(DELAYS_SECONDS[min(failures, len(DELAYS_SECONDS)) - 1])
