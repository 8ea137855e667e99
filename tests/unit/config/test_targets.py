from datetime import timedelta

import pytest

from captchad.config.settings import TargetSection
from captchad.config.targets import check_targets, normalise_declared_host
from captchad.domain.errors import TargetNotAllowed
from tests.unit.config.conftest import TODAY

AUTHORITY = {"owner": "Jane", "reference": "SEC-1", "expires": TODAY + timedelta(days=30)}


def check(*targets: TargetSection) -> tuple[dict[str, str], dict[str, str]]:
    found = check_targets(enumerate(targets), TODAY, "file")
    return (
        {one.path.removeprefix("security.targets"): one.message for one in found.problems},
        {one.path.removeprefix("security.targets"): one.message for one in found.warnings},
    )


def test_a_complete_target_is_good() -> None:
    assert check(TargetSection(host="a.example.com", **AUTHORITY)) == ({}, {})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "app.localhost"])
def test_a_loopback_host_needs_no_authority(host: str) -> None:
    assert check(TargetSection(host=host, allow_private_addresses=True)) == ({}, {})


def test_any_other_host_needs_owner_reference_and_expiry() -> None:
    problems, _ = check(TargetSection(host="a.example.com", owner="  "))
    assert problems.keys() == {"[0].owner", "[0].reference", "[0].expires"}


def test_an_authorisation_is_at_most_366_days_long() -> None:
    last, too_late = TODAY + timedelta(days=366), TODAY + timedelta(days=367)
    assert check(TargetSection(host="a.example.com", **{**AUTHORITY, "expires": last}))[0] == {}
    problems, _ = check(TargetSection(host="a.example.com", **{**AUTHORITY, "expires": too_late}))
    assert problems == {"[0].expires": "is more than 366 days ahead; the latest is 2027-11-24"}


def test_an_expired_authorisation_is_a_warning() -> None:
    expired = TargetSection(host="a.example.com", **{**AUTHORITY, "expires": TODAY - timedelta(days=1)})
    problems, warnings = check(expired)
    assert problems == {}
    assert warnings == {"[0].expires": "the authorisation ended on 2026-11-22; tasks for it are refused"}
    assert check(TargetSection(host="a.example.com", **{**AUTHORITY, "expires": TODAY})) == ({}, {})


@pytest.mark.parametrize("host", ["*.localhost", "*.corp.internal", "*.example.com"])
def test_a_wildcard_with_private_addresses_is_refused(host: str) -> None:
    problems, _ = check(TargetSection(host=host, allow_private_addresses=True, **AUTHORITY))
    assert problems.keys() == {"[0].allow_private_addresses"}


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "::", "[::]", "::ffff:0.0.0.0", "2002:7f00:1::"])
def test_a_host_that_is_never_reachable_is_a_warning_with_permission_too(host: str) -> None:
    _, warnings = check(TargetSection(host=host, allow_private_addresses=True, **AUTHORITY))
    assert "never reachable" in warnings["[0].host"]


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "localhost", "fd00::1", "::ffff:10.1.2.3"])
def test_a_private_address_without_permission_is_a_warning(host: str) -> None:
    problems, warnings = check(TargetSection(host=host, **AUTHORITY))
    assert problems == {}
    assert "[0].host" in warnings


@pytest.mark.parametrize(
    "host",
    [
        "*",
        "*.",
        "*.com",
        "*.co.uk",
        "*.github.io",
        "*.internal",
        "*.amazonaws.com",
        "*.windows.net",
        "*.core.windows.net",
        "*.googleapis.com",
        "*.googleusercontent.com",
        "*.azure.com",
        "*.cloudapp.azure.com",
        "*.westeurope.cloudapp.azure.com",
        "*.atlassian.net",
        "*.sharepoint.com",
        "*.zendesk.com",
        "*.tumblr.com",
        "*.wordpress.com",
        "*.force.com",
        "*.lightning.force.com",
        "*.glitch.me",
        "*.*.example.com",
        "a.*.example.com",
        "*.10.0.0.1",
        "http://a.example.com",
        "a.example.com:443",
        "a.example.com/login",
        "0x7f.1",
        "exa mple.com",
        ".",
    ],
)
def test_a_host_that_covers_too_much_or_is_none_is_refused(host: str) -> None:
    with pytest.raises(TargetNotAllowed):
        normalise_declared_host(host)
    assert "[0].host" in check(TargetSection(host=host, **AUTHORITY))[0]


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("A.Example.COM.", "a.example.com"),
        ("*.Example.com", "*.example.com"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("*.corp.internal", "*.corp.internal"),
        ("*.user.github.io", "*.user.github.io"),
        ("*.company.atlassian.net", "*.company.atlassian.net"),
        ("company.zendesk.com", "company.zendesk.com"),
        ("*.vm.westeurope.cloudapp.azure.com", "*.vm.westeurope.cloudapp.azure.com"),
    ],
)
def test_a_host_is_written_as_it_is_compared(host: str, normal: str) -> None:
    assert normalise_declared_host(host) == normal


def test_a_host_declared_twice_is_refused_however_it_is_spelt() -> None:
    one, other = TargetSection(host="a.example.com", **AUTHORITY), TargetSection(host="A.EXAMPLE.com.", **AUTHORITY)
    problems, _ = check(one, other)
    assert problems == {
        "[1].host": "a.example.com is declared already, by security.targets[0]; keep one with all its ports"
    }


def test_a_pin_is_the_base64_of_a_sha_256() -> None:
    good = TargetSection(host="localhost", allow_private_addresses=True, certificate_pins=("A" * 43 + "=",))
    assert check(good) == ({}, {})
    for pin in ("", "A" * 44, "sha256/" + "A" * 43 + "=", "00:11"):
        problems, _ = check(TargetSection(host="localhost", certificate_pins=(pin,)))
        assert problems.keys() == {"[0].certificate_pins"}
