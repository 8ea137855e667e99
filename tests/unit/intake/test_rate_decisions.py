import pytest

from captchad.config.settings import (
    Configuration,
    GatewaySection,
    KeyRateLimitSection,
    RateLimitSection,
    SecuritySection,
)
from captchad.domain.api_key import NO_LIMITS, ApiKey, KeyLimits
from captchad.intake.rate_decisions import (
    RateLimitDecision,
    RateRules,
    choose_decision,
    list_rate_limits,
    make_rate_rules,
)

ADDRESS = RateLimitSection(requests_per_minute=100, burst_size=20)
KEY = KeyRateLimitSection(enabled=True, requests_per_minute=50, burst_size=10)


def make_key(limits: KeyLimits = NO_LIMITS) -> ApiKey:
    return ApiKey("id", "tests", frozenset(), (), 0, limits=limits)


def make_decision(is_allowed: bool, remaining: int) -> RateLimitDecision:
    return RateLimitDecision("address", is_allowed, 20, remaining, 0.0, 0.0)


def test_address_and_key_are_charged_where_both_are_limited() -> None:
    rate_limits = list(list_rate_limits(RateRules(ADDRESS, KEY), "192.0.2.1", make_key()))
    assert [(rate_limit.subject, rate_limit.name, rate_limit.burst_size) for rate_limit in rate_limits] == [
        ("address", "address:192.0.2.1", 20),
        ("key", "key:id", 10),
    ]


@pytest.mark.parametrize("rule", [KEY, KeyRateLimitSection(enabled=False, burst_size=10)])
def test_a_keys_own_rate_wins_over_everybodys(rule: KeyRateLimitSection) -> None:
    for limits, expected in ((KeyLimits(7), (7, 10)), (KeyLimits(7, 3), (7, 3))):
        rules = RateRules(RateLimitSection(enabled=False), rule)
        [limit] = list_rate_limits(rules, "192.0.2.1", make_key(limits))
        assert (limit.requests_per_minute, limit.burst_size) == expected


def test_a_limit_that_is_off_or_zero_charges_nothing() -> None:
    zero, off = RateLimitSection(requests_per_minute=0), KeyRateLimitSection(enabled=False)
    assert list(list_rate_limits(RateRules(zero, off), "192.0.2.1", make_key())) == []
    assert list(list_rate_limits(RateRules(RateLimitSection(enabled=False), KEY), "192.0.2.1", None)) == []


def test_a_refusal_counts_before_whatever_is_left() -> None:
    refused, scarce, ample = make_decision(False, 5), make_decision(True, 1), make_decision(True, 9)
    assert choose_decision([ample, refused, scarce]) is refused
    assert choose_decision([ample, scarce]) is scarce
    assert choose_decision([]) is None


def list_names(configuration: Configuration, address: str) -> list[tuple[str, int]]:
    limits = list_rate_limits(make_rate_rules(configuration), address, None)
    return [(limit.name, limit.requests_per_minute) for limit in limits]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_a_developers_own_machine_is_not_limited_unless_a_rate_is_stated(address: str) -> None:
    assert list_names(Configuration(), address) == []
    stated = Configuration(gateway=GatewaySection(rate_limit=RateLimitSection(requests_per_minute=100)))
    assert list_names(stated, address) == [(f"address:{address}", 100)]
    with_keys = Configuration(security=SecuritySection(api_key_required=True))
    in_production = Configuration(environment="prod")
    for configuration in (with_keys, in_production):
        assert list_names(configuration, address) == [(f"address:{address}", 100)]


def test_other_addresses_are_limited_by_default() -> None:
    assert list_names(Configuration(), "192.0.2.1") == [("address:192.0.2.1", 100)]
    off = Configuration(gateway=GatewaySection(rate_limit=RateLimitSection(enabled=False)))
    assert list_names(off, "192.0.2.1") == []
