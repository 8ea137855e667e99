from dataclasses import replace
from datetime import date
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.callback import CallbackHost
from captchad.domain.target import Origin, Target
from captchad.egress.receiver_scope import ReceiverPolicy
from captchad.egress.scope import EgressRefused, RefusalReason, ScopePolicy

TODAY = date(2030, 5, 1)
PUBLIC = Target("captcha.example.com", (80, 443), expires=date(2030, 6, 1))
WILDCARD = Target("*.example.org", (443,), expires=date(2030, 6, 1))
RESERVED = Target("shop.test", (80,), expires=date(2030, 6, 1))
WAIVER = "waived: the owner asked us to"
PRIVATE = Target("intranet.example.com", (8080,), expires=date(2030, 6, 1), allow_private_addresses=True)
EXPIRED = Target("old.example.com", (80,), expires=date(2030, 4, 30))
LOOPBACK = Target("127.0.0.1", (8000,), allow_private_addresses=True)


@pytest.fixture
def policy() -> ScopePolicy:
    return ScopePolicy((PUBLIC, WILDCARD, PRIVATE, EXPIRED, LOOPBACK, RESERVED))


def reason_of(policy: ScopePolicy, origin: Origin, *addresses: str) -> RefusalReason | None:
    """Return why an origin that resolves to `addresses` is refused; None when it isn't."""
    try:
        target = policy.check_origin(origin, TODAY)
        policy.check_addresses(origin, target, [ip_address(address) for address in addresses])
    except EgressRefused as error:
        return error.reason
    return None


def test_a_declared_host_at_a_public_address_is_allowed(policy: ScopePolicy) -> None:
    assert reason_of(policy, Origin("https", "captcha.example.com", 443), "93.184.216.34", "2606:4700::1") is None


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (Origin("http", "other.example.com", 80), RefusalReason.UNDECLARED_HOST),
        (Origin("http", "example.org", 443), RefusalReason.UNDECLARED_HOST),
        (Origin("http", "captcha.example.com", 8080), RefusalReason.UNDECLARED_PORT),
        (Origin("http", "old.example.com", 80), RefusalReason.EXPIRED_TARGET),
    ],
)
def test_what_is_not_declared_now_is_refused(policy: ScopePolicy, origin: Origin, reason: RefusalReason) -> None:
    assert reason_of(policy, origin, "93.184.216.34") is reason


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("10.0.0.1", RefusalReason.PRIVATE_ADDRESS),
        ("127.0.0.1", RefusalReason.PRIVATE_ADDRESS),
        ("::ffff:192.168.0.1", RefusalReason.PRIVATE_ADDRESS),
        ("169.254.169.254", RefusalReason.METADATA_ADDRESS),
        ("2002:7f00:1::", RefusalReason.UNUSABLE_ADDRESS),
        ("0.0.0.0", RefusalReason.UNUSABLE_ADDRESS),
    ],
)
def test_a_public_host_may_not_lead_inside(policy: ScopePolicy, address: str, reason: RefusalReason) -> None:
    origin = Origin("http", "captcha.example.com", 80)
    assert reason_of(policy, origin, address) is reason
    assert reason_of(policy, origin, "93.184.216.34", address) is reason


def test_private_addresses_open_for_exactly_the_declared_host_and_port(policy: ScopePolicy) -> None:
    assert reason_of(policy, Origin("http", "intranet.example.com", 8080), "10.0.0.1") is None
    assert reason_of(policy, Origin("http", "127.0.0.1", 8000), "127.0.0.1") is None
    assert reason_of(policy, Origin("http", "127.0.0.1", 8001), "127.0.0.1") is RefusalReason.UNDECLARED_PORT
    under_wildcard = Origin("https", "a.example.org", 443)
    assert reason_of(policy, under_wildcard, "93.184.216.34") is None
    assert reason_of(policy, under_wildcard, "10.0.0.1") is RefusalReason.PRIVATE_ADDRESS


@pytest.mark.parametrize("target", [PRIVATE, RESERVED, Target("*.corp.internal", (80,)), Target("intranet", (80,))])
@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1", "::ffff:93.184.216.34"])
def test_what_is_private_without_a_proof_is_never_at_a_public_address(target: Target, address: str) -> None:
    origin = Origin("http", target.host.replace("*", "a"), target.ports[0])
    policy = ScopePolicy((target,))
    assert reason_of(policy, origin, address) is RefusalReason.PUBLIC_ADDRESS
    policy.replace_targets([replace(target, allow_private_addresses=True, proof=WAIVER)])
    assert reason_of(policy, origin, address) is None


def test_the_refusal_of_a_public_address_says_what_to_do(policy: ScopePolicy) -> None:
    for target, advice in (
        (PRIVATE, "take that away and prove the host (`captchad targets prove intranet.example.com`)"),
        (RESERVED, "declare it by a name of its own that you can prove"),
    ):
        with pytest.raises(EgressRefused) as refused:
            policy.check_addresses(Origin("http", target.host, 80), target, [ip_address("93.184.216.34")])
        assert f"{target.host} (93.184.216.34) is a public address" in refused.value.message
        assert advice in refused.value.message
        assert '"proof": "waived: REASON"' in refused.value.message


def test_a_callback_receiver_at_private_addresses_may_be_at_public_ones_too() -> None:
    receivers = ReceiverPolicy([CallbackHost("hooks.example.com", 443, is_private=True)])
    assert reason_of(receivers, Origin("https", "hooks.example.com", 443), "93.184.216.34", "10.0.0.1") is None


def test_a_declared_host_without_a_proof_is_told_as_unproven(policy: ScopePolicy) -> None:
    policy.replace_targets([PUBLIC, WILDCARD], {PUBLIC.host: "publish the record"})
    origin = Origin("http", "captcha.example.com", 80)
    assert reason_of(policy, origin, "93.184.216.34") is RefusalReason.UNPROVEN_TARGET
    with pytest.raises(EgressRefused, match="publish the record"):
        policy.check_origin(origin, TODAY)
    assert reason_of(policy, Origin("https", "a.example.org", 443), "93.184.216.34") is None
    policy.replace_targets([PUBLIC])
    assert reason_of(policy, origin, "93.184.216.34") is None


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"])
def test_metadata_is_never_reachable(policy: ScopePolicy, address: str) -> None:
    origin = Origin("http", "intranet.example.com", 8080)
    assert reason_of(policy, origin, address) is RefusalReason.METADATA_ADDRESS


@pytest.mark.parametrize("protected", ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost", "192.0.2.7"])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.5", "::1", "192.0.2.7", "::ffff:192.0.2.7"])
def test_a_protected_port_of_this_machine_is_protected_at_all_its_addresses(protected: str, address: str) -> None:
    target = Target("intranet.example.com", (6379, 8080), allow_private_addresses=True)
    policy = ScopePolicy((target,), [(protected, 6379)], [ip_address("192.0.2.7")])
    redis = Origin("http", "intranet.example.com", 6379)
    assert reason_of(policy, redis, address) is RefusalReason.PROTECTED_ENDPOINT
    assert reason_of(policy, Origin("http", "intranet.example.com", 8080), "10.0.0.1") is None


def test_a_protected_endpoint_elsewhere_is_protected_by_name_and_address() -> None:
    targets = (
        Target("redis.example.com", (6379,), allow_private_addresses=True),
        Target("10.1.2.3", (6379, 80), allow_private_addresses=True),
    )
    policy = ScopePolicy(targets, [("redis.example.com", 6379), ("10.1.2.3", 6379)])
    assert reason_of(policy, Origin("http", "redis.example.com", 6379), "8.8.8.8") is RefusalReason.PROTECTED_ENDPOINT
    assert reason_of(policy, Origin("http", "10.1.2.3", 6379), "10.1.2.3") is RefusalReason.PROTECTED_ENDPOINT
    assert reason_of(policy, Origin("http", "10.1.2.3", 80), "10.1.2.3") is None


def test_targets_can_be_replaced_at_run_time(policy: ScopePolicy) -> None:
    origin = Origin("http", "captcha.example.com", 80)
    policy.replace_targets([LOOPBACK])
    assert reason_of(policy, origin, "93.184.216.34") is RefusalReason.UNDECLARED_HOST
    policy.replace_targets([PUBLIC])
    assert reason_of(policy, origin, "93.184.216.34") is None


@given(st.text(min_size=1), st.integers(1, 65535))
def test_nothing_is_in_scope_until_it_is_declared(host: str, port: int) -> None:
    with pytest.raises(EgressRefused):
        ScopePolicy(()).check_origin(Origin("http", host, port), TODAY)
