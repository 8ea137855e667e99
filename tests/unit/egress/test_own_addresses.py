from ipaddress import ip_address

from captchad.egress.own_addresses import own_addresses


def test_own_addresses_include_loopback() -> None:
    assert ip_address("127.0.0.1") in own_addresses()
