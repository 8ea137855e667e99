"""Which rate limits a request counts against, and which of their results decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from captchad.broker.rate_limits import RateLimiter, RateLimitResult
from captchad.config.settings import (
    DEFAULT_REQUESTS_PER_MINUTE,
    Configuration,
    KeyRateLimitSection,
    RateLimitSection,
)
from captchad.domain.api_key import ApiKey
from captchad.domain.target import is_loopback_host

Subject = Literal["address", "key"]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One limit to charge; `name` identifies it across the fleet."""

    subject: Subject
    name: str
    requests_per_minute: int
    burst_size: int


@dataclass(frozen=True, slots=True)
class RateLimitDecision:
    """The result that decides: a refusal, else that of the limit with the least left."""

    subject: Subject
    is_allowed: bool
    limit: int
    remaining: int
    retry_after_seconds: float
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class RateRules:
    """The limits in force: one for each address, of this machine too unless it is spared, and one for each key."""

    per_address: RateLimitSection
    per_key: KeyRateLimitSection
    is_loopback_spared: bool = False


def make_rate_rules(configuration: Configuration) -> RateRules:
    """Return the limits of a configuration; where none is stated, a developer's own machine has none."""
    per_address, per_key = configuration.gateway.rate_limit, configuration.security.rate_limiting
    if per_address.requests_per_minute is not None:
        return RateRules(per_address, per_key)
    by_default = per_address.model_copy(update={"requests_per_minute": DEFAULT_REQUESTS_PER_MINUTE})
    is_spared = configuration.environment == "dev" and not configuration.security.api_key_required
    return RateRules(by_default, per_key, is_spared)


class CallerRateLimiter:
    """Charges the rate limits of callers; the rules may be replaced at any time."""

    def __init__(self, limiter: RateLimiter, rules: RateRules) -> None:
        self._limiter = limiter
        self._rules = rules

    def replace(self, rules: RateRules) -> None:
        """Use other rules from now on."""
        self._rules = rules

    async def take(self, address: str, key: ApiKey | None, cost: int) -> RateLimitDecision | None:
        """Charge `cost` to all limits of a caller until one refuses; None where nothing is limited."""
        decisions: list[RateLimitDecision] = []
        for rate_limit in list_rate_limits(self._rules, address, key):
            result = await self._limiter.take(
                rate_limit.name, cost, rate_limit.requests_per_minute, rate_limit.burst_size
            )
            decisions.append(_decide(rate_limit, result))
            if not result.is_allowed:
                break
        return choose_decision(decisions)

    async def give_back(self, address: str, key: ApiKey | None, paid: int) -> None:
        """Take back what was charged to all limits of a caller."""
        for rate_limit in list_rate_limits(self._rules, address, key):
            await self._limiter.take(rate_limit.name, -paid, rate_limit.requests_per_minute, rate_limit.burst_size)


def list_rate_limits(rules: RateRules, address: str, key: ApiKey | None) -> Iterator[RateLimit]:
    """Return the limits a request counts against, the address first; a key's own rate wins over everybody's."""
    if not (rules.is_loopback_spared and is_loopback_host(address)):
        yield from _make_limit("address", f"address:{address}", rules.per_address)
    if key is not None:
        yield from _make_limit("key", f"key:{key.key_id}", _find_key_rule(rules.per_key, key))


def _find_key_rule(section: KeyRateLimitSection, key: ApiKey) -> KeyRateLimitSection:
    own = key.limits
    if own.requests_per_minute is None:
        return section
    burst_size = section.burst_size if own.burst_size is None else own.burst_size
    return KeyRateLimitSection(enabled=True, requests_per_minute=own.requests_per_minute, burst_size=burst_size)


def choose_decision(decisions: list[RateLimitDecision]) -> RateLimitDecision | None:
    """Return the decision to act on: a refusal, else the one with the least left."""
    return min(decisions, key=lambda decision: (decision.is_allowed, decision.remaining), default=None)


def _make_limit(subject: Subject, name: str, section: RateLimitSection | KeyRateLimitSection) -> Iterator[RateLimit]:
    if section.enabled and section.requests_per_minute:
        yield RateLimit(subject, name, section.requests_per_minute, section.burst_size)


def _decide(rate_limit: RateLimit, result: RateLimitResult) -> RateLimitDecision:
    return RateLimitDecision(
        rate_limit.subject,
        result.is_allowed,
        result.limit,
        result.remaining,
        result.retry_after_seconds,
        result.reset_seconds,
    )
