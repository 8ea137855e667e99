from captchad.config.settings import KeyRateLimitSection, RateLimitSection
from captchad.intake.rate_decisions import RateLimitDecision, RateRules, choose_decision, list_rate_limits

ADDRESS = RateLimitSection(requests_per_minute=100, burst_size=20)
KEY = KeyRateLimitSection(enabled=True, requests_per_minute=50, burst_size=10)


def make_decision(is_allowed: bool, remaining: int) -> RateLimitDecision:
    return RateLimitDecision("address", is_allowed, 20, remaining, 0.0, 0.0)


def test_address_and_key_are_charged_where_both_are_limited() -> None:
    rate_limits = list(list_rate_limits(RateRules(ADDRESS, KEY), "192.0.2.1", "id"))
    assert [(rate_limit.subject, rate_limit.name, rate_limit.burst_size) for rate_limit in rate_limits] == [
        ("address", "address:192.0.2.1", 20),
        ("key", "key:id", 10),
    ]


def test_a_limit_that_is_off_or_zero_charges_nothing() -> None:
    zero, off = RateLimitSection(requests_per_minute=0), KeyRateLimitSection(enabled=False)
    assert list(list_rate_limits(RateRules(zero, off), "192.0.2.1", "id")) == []
    assert list(list_rate_limits(RateRules(RateLimitSection(enabled=False), KEY), "192.0.2.1", None)) == []


def test_a_refusal_counts_before_whatever_is_left() -> None:
    refused, scarce, ample = make_decision(False, 5), make_decision(True, 1), make_decision(True, 9)
    assert choose_decision([ample, refused, scarce]) is refused
    assert choose_decision([ample, scarce]) is scarce
    assert choose_decision([]) is None
