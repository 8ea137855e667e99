"""What of a target's limits gateways, monitors and operators see: its closures, and how often it was visited."""

from collections.abc import Iterable
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
    """How long a target would still have been closed (0: it was open), and how many tasks waited for that.

    `was_fill_closed`: no form was filled there.
    """

    closed_seconds: float
    waiting: int
    was_fill_closed: bool = False

    @property
    def was_closed(self) -> bool:
        """Whether there was a closure to end."""
        return self.closed_seconds > 0 or self.was_fill_closed


class TargetClosures:
    """Reads and ends closures: those that sites have asked for, and of `fill` for too many rejections."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, host: str) -> TargetState:
        """Return the state of a target, by its host as it is declared."""
        keys = TargetKeys(host)
        now_ms = await self._broker.time_ms()
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.pttl(keys.closed)
            pipeline.zcount(keys.visits, now_ms - MINUTE_MS, "+inf")
            closed_ms, visits = await pipeline.execute()
        return TargetState(max(0, closed_ms) / MS, visits)

    async def read_fill_closed(self, hosts: Iterable[str]) -> dict[str, int]:
        """Return since when (ms since 1970) no form is filled at those of the declared targets where that is so."""
        named = list(hosts)
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            for host in named:
                pipeline.get(TargetKeys(host).fill_closed)
            found = await pipeline.execute()
        return {host: int(closed_ms) for host, closed_ms in zip(named, found, strict=True) if closed_ms is not None}

    async def reopen(self, host: str) -> Reopening:
        """Let a target be visited and its forms be filled again, and its waiting tasks be tried."""
        keys = TargetKeys(host)
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            pipeline.pttl(keys.closed)
            pipeline.delete(keys.closed)
            closed_ms, _ = await pipeline.execute()
        arguments = [host, self._broker.node_events]
        fill = await self._broker.run_fleet_script("fill_reopen", [keys.rejections, keys.fill_closed], arguments)
        # After the closure, or they would be deferred by it once more.
        waiting = [
            await self._broker.run_script("reopen", partition, [host, 0]) for partition in self._broker.partitions
        ]
        return Reopening(max(0, closed_ms) / MS, sum(waiting), was_fill_closed=bool(fill))
