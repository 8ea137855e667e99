import pytest

from captchad.domain.errors import ConfigurationError
from captchad.web.middleware.access import is_loopback_authority, read_key
from captchad.web.middleware.addresses import UNKNOWN_ADDRESS, ClientAddresses


@pytest.mark.parametrize(
    "authority",
    ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8080", "app.localhost:3000"],
)
def test_names_of_this_machine_are_known_with_any_port(authority: str) -> None:
    assert is_loopback_authority(authority)


@pytest.mark.parametrize(
    "authority",
    [
        "",
        "example.com",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "192.168.0.1:8080",
        "user@localhost",
        "localhost/",
        "localhost:99999",
        "localhost:x",
        "[::1",
        "0.0.0.0",
        "2130706433",
        "localhost, localhost",
        "::1",
    ],
)
def test_anything_else_is_foreign(authority: str) -> None:
    assert not is_loopback_authority(authority)


def test_a_key_is_read_from_either_header() -> None:
    assert read_key(["Bearer ck_a_b"], []) == "ck_a_b"
    assert read_key(["bearer  ck_a_b "], []) == "ck_a_b"
    assert read_key([], ["ck_a_b"]) == "ck_a_b"
    assert read_key(["Bearer ck_a_b"], ["ck_a_b"]) == "ck_a_b"
    assert read_key([], []) is None
    assert read_key(["Basic eHg="], ["ck_a_b"]) is None
    assert read_key(["Bearer ck_a_b"], ["ck_c_d"]) is None


def test_only_trusted_proxies_are_believed() -> None:
    addresses = ClientAddresses(["10.0.0.0/8", "2001:db8::1"])
    assert addresses.find("192.0.2.1", ["198.51.100.7"]) == "192.0.2.1"
    assert addresses.find("10.0.0.1", ["198.51.100.7"]) == "198.51.100.7"
    assert addresses.find("10.0.0.1", ["6.6.6.6, 198.51.100.7", "10.0.0.9"]) == "198.51.100.7"
    assert addresses.find("10.0.0.1", ["198.51.100.7:4711"]) == "198.51.100.7"
    assert addresses.find("10.0.0.1", ["[2001:db8:1:2:3::4]:443"]) == "2001:db8:1:2::"
    assert addresses.find("10.0.0.1", ["unknown"]) == "10.0.0.1"
    assert addresses.find("10.0.0.1", []) == "10.0.0.1"


def test_ipv6_callers_are_told_apart_by_their_network() -> None:
    addresses = ClientAddresses([])
    assert addresses.find("2001:db8:1:2::1", []) == addresses.find("2001:db8:1:2:ffff::9", [])
    assert addresses.find("2001:db8:1:3::1", []) != addresses.find("2001:db8:1:2::1", [])
    assert addresses.find("::ffff:192.0.2.1", []) == "192.0.2.1"
    assert addresses.find("::1", []) == "::1"
    assert addresses.find(None, []) == UNKNOWN_ADDRESS


def test_a_proxy_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"gateway\.trusted_proxies"):
        ClientAddresses(["proxy.example.com"])
