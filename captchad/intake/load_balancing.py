"""Chooses the partition of a new task: in turn, or the one with the fewest tasks waiting."""

from collections.abc import Mapping, Sequence
from typing import Literal

from captchad.runtime.clock import Clock

Algorithm = Literal["round_robin", "least_pending"]


def choose_round_robin(healthy: Sequence[int], last: int) -> int:
    """Return the next partition after `last`, in ascending order and round again."""
    return min((partition for partition in healthy if partition > last), default=min(healthy))


def choose_least_pending(healthy: Sequence[int], pending: Mapping[int, int], last: int) -> int:
    """Return the partition with the fewest tasks waiting; among equals the next after `last`."""
    fewest = min(pending.get(partition, 0) for partition in healthy)
    return choose_round_robin([p for p in healthy if pending.get(p, 0) == fewest], last)


class PartitionBalancer:
    """Spreads tasks over the partitions that answer.

    A partition that did not answer is left out for `recheck_seconds` and then tried again; if none is left, all are.
    """

    def __init__(self, partitions: int, algorithm: Algorithm, recheck_seconds: float, clock: Clock) -> None:
        self.partitions = partitions
        self._algorithm = algorithm
        self._recheck_seconds = recheck_seconds
        self._clock = clock
        self._pending = dict.fromkeys(range(partitions), 0)
        self._failed_until: dict[int, float] = {}
        self._last = -1

    @property
    def needs_pending(self) -> bool:
        """Whether the choice depends on how many tasks wait in each partition."""
        return self._algorithm == "least_pending" and self.partitions > 1

    def choose(self, count: int = 1) -> int:
        """Return the partition for the next `count` tasks."""
        healthy = self.list_healthy()
        if self._algorithm == "least_pending":
            self._last = choose_least_pending(healthy, self._pending, self._last)
        else:
            self._last = choose_round_robin(healthy, self._last)
        self._pending[self._last] += count
        return self._last

    def list_healthy(self) -> list[int]:
        """Return the partitions tasks may go to now."""
        now = self._clock.monotonic_seconds()
        self._failed_until = {p: until for p, until in self._failed_until.items() if until > now}
        return [p for p in range(self.partitions) if p not in self._failed_until] or list(range(self.partitions))

    def note_failure(self, partition: int) -> None:
        """Skip a partition that did not answer, for a while."""
        self._failed_until[partition] = self._clock.monotonic_seconds() + self._recheck_seconds

    def note_pending(self, pending: Mapping[int, int]) -> None:
        """Use these counts of waiting tasks from now on."""
        self._pending.update(pending)
