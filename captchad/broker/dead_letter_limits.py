"""How many dead letters a partition keeps, and in how much room."""

from dataclasses import dataclass

from captchad.config.settings import SchedulerSection


@dataclass(frozen=True, slots=True)
class DeadLetterLimits:
    """The oldest letters are dropped beyond either limit; bytes are those of requests and pictures."""

    letters: int
    bytes: int

    @property
    def argument(self) -> str:
        """The limits as the scripts take them."""
        return f"{self.letters} {self.bytes}"


def find_dead_letter_limits(scheduler: SchedulerSection) -> DeadLetterLimits:
    """Return the configured limits; workers and schedulers drop letters by the same."""
    return DeadLetterLimits(scheduler.dead_letter_limit, scheduler.dead_letter_limit_bytes)
