"""The daily quota of an API key, counted in tasks that are stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from captchad.broker.key_quotas import KeyQuotas, QuotaAnswer
from captchad.domain.api_key import ApiKey
from captchad.domain.errors import BrokerRefused, CaptchadError, IdempotencyConflict, QueueFull, QuotaExceeded

_NOTHING_STORED = (QueueFull, IdempotencyConflict, BrokerRefused)


@dataclass(slots=True)
class Charge:
    """Tasks that are counted while they are being stored; `repeated` of them were stored before."""

    tasks: int
    repeated: int = 0


class TaskQuota:
    """Charges tasks to the daily quotas of keys."""

    def __init__(self, quotas: KeyQuotas) -> None:
        self._quotas = quotas

    @asynccontextmanager
    async def charge(self, key: ApiKey | None, tasks: int) -> AsyncIterator[Charge]:
        """Count tasks while they are stored; QuotaExceeded before that where they are too many.

        Those that turn out not to be stored are given back; where nobody knows, they count.
        """
        charge = Charge(tasks)
        if key is None or key.limits.daily_quota is None:
            yield charge
            return
        quota = key.limits.daily_quota
        taken = await self._quotas.take(key.key_id, tasks, quota)
        if not taken.is_allowed:
            raise _refuse(key, quota, tasks, taken)
        try:
            yield charge
        except _NOTHING_STORED:
            await self._quotas.give_back(key.key_id, tasks, taken)
            raise
        if charge.repeated:
            await self._quotas.give_back(key.key_id, charge.repeated, taken)


def _refuse(key: ApiKey, quota: int, tasks: int, taken: QuotaAnswer) -> CaptchadError:
    left = f"{taken.remaining} of the {quota} tasks a day of the key {key.name!r} are left"
    return QuotaExceeded(f"{left}, {tasks} were sent; there are new ones at midnight, UTC", taken.reset_seconds)
