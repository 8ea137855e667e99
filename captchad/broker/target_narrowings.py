"""What operators have narrowed of targets, as it is stored."""

from collections.abc import Iterable
from datetime import date

from captchad.broker.connection import Argument, Broker
from captchad.broker.redis_keys import TargetKeys
from captchad.domain.narrowing import Narrowing

_FIELDS = ("expires", "max_per_minute", "max_concurrent", "paused_ms")
LIMITS = _FIELDS[:3]
NOW = "now"
NARROWED, PAUSED, RESUMED = "narrowed", "paused", "resumed"


class TargetNarrowings:
    """Reads and writes narrowings; `change_target.lua` tells the fleet of each."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, hosts: Iterable[str]) -> dict[str, Narrowing]:
        """Return the narrowings of those of the declared targets that have any."""
        named = list(hosts)
        async with self._broker.guard():
            pipeline = self._broker.client.pipeline(transaction=False)
            for host in named:
                pipeline.hmget(TargetKeys(host).narrowing, _FIELDS)
            rows = await pipeline.execute()
        return {host: _decode(*row) for host, row in zip(named, rows, strict=True) if any(row)}

    async def limit(self, host: str, wanted: Narrowing) -> None:
        """Narrow the limits that `wanted` has; the others stay as they are."""
        given = {name: getattr(wanted, name) for name in LIMITS}
        fields = {name: str(value) for name, value in given.items() if value is not None}
        await self._change(host, NARROWED, fields)

    async def reset(self, host: str) -> None:
        """Let the declared limits count again; a pause stays."""
        await self._change(host, NARROWED, dict.fromkeys(LIMITS, ""))

    async def pause(self, host: str) -> None:
        """Let nothing of a target begin until it is resumed."""
        await self._change(host, PAUSED, {"paused_ms": NOW})

    async def resume(self, host: str) -> int:
        """Let tasks of a target begin again; return how many waited."""
        await self._change(host, RESUMED, {"paused_ms": ""})
        # After that, or they would be deferred by the pause once more.
        return sum(
            [await self._broker.run_script("reopen", partition, [host, 1]) for partition in self._broker.partitions]
        )

    async def _change(self, host: str, change: str, fields: dict[str, str]) -> None:
        pairs: list[Argument] = [part for pair in fields.items() for part in pair]
        arguments: list[Argument] = [host, self._broker.node_events, change, *pairs]
        await self._broker.run_fleet_script("change_target", [TargetKeys(host).narrowing], arguments)


def _decode(
    expires: bytes | None, per_minute: bytes | None, concurrent: bytes | None, paused_ms: bytes | None
) -> Narrowing:
    return Narrowing(
        date.fromisoformat(expires.decode()) if expires else None,
        int(per_minute) if per_minute else None,
        int(concurrent) if concurrent else None,
        int(paused_ms) if paused_ms else None,
    )
