"""Which allowances a request is charged to, and which of their answers counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from captchad.broker.rate_limits import Allowance, RateLimiter
from captchad.config.sections import KeyRateLimitSection, RateLimitSection

Subject = Literal["address", "key"]


@dataclass(frozen=True, slots=True)
class Charge:
    """One allowance to take from; `name` tells it from all others of the fleet."""

    subject: Subject
    name: str
    requests_per_minute: int
    burst_size: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What the allowance nearest to its end answered."""

    subject: Subject
    is_allowed: bool
    limit: int
    remaining: int
    retry_after_seconds: float
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class RateRules:
    """The limits in force: one for each address and one for each key."""

    per_address: RateLimitSection
    per_key: KeyRateLimitSection


class RateGate:
    """Takes from a caller's allowances; the rules may be replaced while it works."""

    def __init__(self, limiter: RateLimiter, rules: RateRules) -> None:
        self._limiter = limiter
        self._rules = rules

    @property
    def is_active(self) -> bool:
        """Whether anything is limited at all."""
        return _is_limiting(self._rules.per_address) or _is_limiting(self._rules.per_key)

    def replace(self, rules: RateRules) -> None:
        """Use other rules from now on."""
        self._rules = rules

    async def take(self, address: str, key_id: str | None, cost: int) -> Decision | None:
        """Take `cost` from all allowances of a caller until one refuses; None where nothing is limited."""
        decisions: list[Decision] = []
        for charge in list_charges(self._rules, address, key_id):
            allowance = await self._limiter.take(charge.name, cost, charge.requests_per_minute, charge.burst_size)
            decisions.append(_decide(charge, allowance))
            if not allowance.is_allowed:
                break
        return choose_decision(decisions)


def list_charges(rules: RateRules, address: str, key_id: str | None) -> Iterator[Charge]:
    """Return the allowances a request counts against, the address first."""
    if _is_limiting(rules.per_address):
        section = rules.per_address
        yield Charge("address", f"address:{address}", section.requests_per_minute, section.burst_size)
    if key_id is not None and _is_limiting(rules.per_key):
        yield Charge("key", f"key:{key_id}", rules.per_key.requests_per_minute, rules.per_key.burst_size)


def choose_decision(decisions: list[Decision]) -> Decision | None:
    """Return the decision to act on: a refusal, else the one with the least left."""
    return min(decisions, key=lambda decision: (decision.is_allowed, decision.remaining), default=None)


def _is_limiting(section: RateLimitSection | KeyRateLimitSection) -> bool:
    return section.enabled and section.requests_per_minute > 0


def _decide(charge: Charge, allowance: Allowance) -> Decision:
    return Decision(
        charge.subject,
        allowance.is_allowed,
        allowance.limit,
        allowance.remaining,
        allowance.retry_after_seconds,
        allowance.reset_seconds,
    )
