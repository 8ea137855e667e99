"""What of a target's limits gateways and operators see: how long it is closed, and how often it was visited."""

from dataclasses import dataclass

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import TargetKeys

MS = 1000
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class TargetState:
    """A target now: seconds until its pages may be opened again (0: they may), and visits in the last minute."""

    closed_seconds: float = 0.0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Reopening:
    """How long a target would still have been closed (0: it was open), and how many tasks waited for that."""

    closed_seconds: float
    waiting: int

    @property
    def was_closed(self) -> bool:
        """Whether there was a closure to end."""
        return self.closed_seconds > 0


class TargetClosures:
    """Reads and ends the closures that sites have asked for."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, host: str) -> TargetState:
        """Return the state of a target, by its host as it is declared."""
        keys = TargetKeys(host)
        async with self._broker.guard():
            seconds, microseconds = await self._broker.client.time()
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.pttl(keys.closed)
            pipeline.zcount(keys.visits, seconds * MS + microseconds // MS - MINUTE_MS, "+inf")
            closed_ms, visits = await pipeline.execute()
        return TargetState(max(0, closed_ms) / MS, visits)

    async def reopen(self, host: str) -> Reopening:
        """Let a target be visited again, and its waiting tasks be tried."""
        keys = TargetKeys(host)
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.pttl(keys.closed)
            pipeline.delete(keys.closed)
            closed_ms, _ = await pipeline.execute()
        # After the closure, or they would be deferred by it once more.
        waiting = [await self._broker.run_script("reopen", partition, [host]) for partition in self._broker.partitions]
        return Reopening(max(0, closed_ms) / MS, sum(waiting))
