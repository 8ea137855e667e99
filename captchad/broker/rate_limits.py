"""Rate limits that hold across all gateways (GCRA, one timestamp in Redis for each caller)."""

import hashlib
from dataclasses import dataclass

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import rate

MICROSECONDS = 1_000_000
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class RateLimitResult:
    """Whether a request may pass, and what the RateLimit headers say; `limit` and `remaining` count requests."""

    is_allowed: bool
    limit: int
    remaining: int
    retry_after_seconds: float
    reset_seconds: float


class RateLimiter:
    """Charges requests to rate limits."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def take(self, name: str, cost: int, requests_per_minute: int, burst_size: int) -> RateLimitResult:
        """Charge `cost` requests to the rate limit called `name`.

        A cost above the burst needs all of it free, and runs into debt. One below zero gives back.
        """
        interval_us = SECONDS_PER_MINUTE * MICROSECONDS / requests_per_minute
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        allowed, left, wait_us, reset_us = await self._broker.run_fleet_script(
            "gcra", [rate(digest)], [cost, interval_us, burst_size]
        )
        return RateLimitResult(bool(allowed), burst_size, max(0, left), wait_us / MICROSECONDS, reset_us / MICROSECONDS)
