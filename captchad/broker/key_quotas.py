"""How many tasks an API key may submit a day, exact across all gateways."""

from dataclasses import dataclass

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import key_quota

MS = 1000


@dataclass(frozen=True, slots=True)
class QuotaAnswer:
    """Whether tasks were counted, how many are left, and the seconds until the next `day` (UTC, since 1970)."""

    is_allowed: bool
    remaining: int
    reset_seconds: float
    day: str


class KeyQuotas:
    """Counts the tasks of API keys."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def take(self, key_id: str, tasks: int, daily_quota: int) -> QuotaAnswer:
        """Count tasks, all or none."""
        return await self._count(key_id, tasks, daily_quota, "")

    async def give_back(self, key_id: str, tasks: int, taken: QuotaAnswer) -> None:
        """Take back tasks that were counted and not stored."""
        await self._count(key_id, -tasks, 0, taken.day)

    async def read_used(self, key_id: str) -> int:
        """Return how many tasks were counted today; the count expires with its day."""
        async with self._broker.guard():
            return int(await self._broker.client.hget(key_quota(key_id), "used") or 0)

    async def _count(self, key_id: str, tasks: int, daily_quota: int, day: str) -> QuotaAnswer:
        is_allowed, remaining, reset_ms, today = await self._broker.run_fleet_script(
            "key_quota", [key_quota(key_id)], [tasks, daily_quota, day]
        )
        return QuotaAnswer(bool(is_allowed), remaining, reset_ms / MS, today.decode())
