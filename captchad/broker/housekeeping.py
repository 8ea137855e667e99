"""The scheduler's side of a partition: promote, reclaim, expire, prune."""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass

from captchad.broker.connection import Argument, Broker
from captchad.broker.dead_letter_limits import find_dead_letter_limits
from captchad.broker.redis_keys import COUNTERS, LEADER, LOST_WORKERS, PartitionKeys
from captchad.config.settings import SchedulerSection

BATCH = 500
MS = 1000
BEYOND_THE_LIST = 2**40
LOSS_REMEMBERED_MS = 3_600_000
"""How long a lost worker isn't counted a second time: its tasks may be found in several partitions and rounds."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep did, and the seconds until something is due next (None: nothing waits)."""

    count: int
    next_due_seconds: float | None

    @property
    def has_more(self) -> bool:
        """Whether something is due already: one sweep does a limited number."""
        return self.next_due_seconds == 0


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """What became of the tasks of lost workers, and which workers those were."""

    requeued: int
    blameless: int
    dead_lettered: int
    consumers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was forgotten, in the order of the script's answer."""

    listed: int
    dead_letters: int
    consumers: int
    evidence: int
    answers: int
    dead_callbacks: int

    def add(self, other: "Pruned") -> "Pruned":
        """Return both together."""
        return Pruned(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))


class Housekeeping:
    """The maintenance jobs of one partition; each is one script, so two schedulers at once do no harm."""

    def __init__(self, broker: Broker, keys: PartitionKeys, config: SchedulerSection) -> None:
        self._broker = broker
        self._keys = keys
        self._config = config
        self._dead_letter_limits = find_dead_letter_limits(config)

    async def promote_due(self) -> Sweep:
        """Queue the delayed tasks that are due."""
        count, next_ms = await self._broker.run_script("promote", self._keys, [BATCH])
        return Sweep(count, None if next_ms < 0 else next_ms / MS)

    async def reclaim_stalled(self, lease_seconds: float, away_until_ms: int) -> Reclaimed:
        """Requeue tasks not renewed for a lease; workers lost before `away_until_ms` (Redis TIME) cost nothing."""
        arguments: list[Argument] = [int(lease_seconds * MS), away_until_ms, BATCH, self._dead_letter_limits.argument]
        requeued, blameless, dead, *consumers = await self._broker.run_script("reclaim", self._keys, arguments)
        return Reclaimed(requeued, blameless, dead, frozenset(consumer.decode() for consumer in consumers))

    async def expire_overdue(self) -> Sweep:
        """End the tasks that have passed their deadline."""
        count, next_ms = await self._broker.run_script("expire", self._keys, [BATCH])
        return Sweep(count, None if next_ms < 0 else next_ms / MS)

    async def confirm_ends(self) -> int:
        """Make final the ends whose writers have not done it, once replicas have them; return how many there were."""
        if not await self._broker.run_script("unconfirmed", self._keys, [BATCH]):
            return 0
        # Asked again with the acknowledgement of all that was written before: what is listed now, the replicas have.
        found = await self._broker.run_script("unconfirmed", self._keys, [BATCH], acknowledge=True)
        await self._broker.run_script("confirm", self._keys, found)
        return len(found) // 2

    async def prune(self, alive_consumers: Sequence[str]) -> Pruned:
        """Forget expired list entries, old dead letters and the consumers of workers that are gone."""
        position, total = 0, Pruned(0, 0, 0, 0, 0, 0)
        retention_ms, limits = self._config.dead_letter_retention_seconds * MS, self._dead_letter_limits.argument
        while True:
            position, *counts = await self._broker.run_script(
                "prune", self._keys, [position, BATCH, retention_ms, limits, *alive_consumers]
            )
            found = Pruned(*counts)
            total = total.add(found)
            if position < 0 and max(found.dead_letters, found.dead_callbacks, found.evidence, found.answers) < BATCH:
                return total
            position = position if position >= 0 else BEYOND_THE_LIST


class LeaderLease:
    """The one lease that makes a scheduler the active one."""

    def __init__(self, broker: Broker, consumer: str, lease_seconds: float) -> None:
        self._broker = broker
        self._consumer = consumer
        self._lease_ms = int(lease_seconds * MS)

    async def hold(self) -> bool:
        """Take or keep the lease; whether this process holds it now."""
        return bool(await self._broker.run_fleet_script("lead", [LEADER], [self._consumer, self._lease_ms]))

    async def give_up(self) -> None:
        """Let another take over at once."""
        await self._broker.run_fleet_script("lead", [LEADER], [self._consumer, 0])

    async def holder(self) -> str | None:
        """Return the consumer that holds the lease."""
        async with self._broker.guard():
            value = await self._broker.client.get(LEADER)
        return value.decode() if value else None


async def note_lost_workers(broker: Broker, consumers: Collection[str]) -> None:
    """Count workers as lost, each once."""
    await broker.run_fleet_script("note_lost", [LOST_WORKERS, COUNTERS], [LOSS_REMEMBERED_MS, *consumers])
