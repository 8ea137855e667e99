from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.domain.address import AddressKind, classify, unwrap

KINDS = {
    AddressKind.GLOBAL: ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
    AddressKind.PRIVATE: [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12::1",
        "fec0::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
    AddressKind.METADATA: [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
        "fd00:ec2::254%1",
        "100.100.100.200",
        "169.254.170.2",
        "169.254.42.42",
        "fe80::a9fe:a9fe",
        "fe80::a9fe:a9fe%eth0",
    ],
    AddressKind.UNUSABLE: [
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "ff02::1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a9fe:a9fe",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_tells_the_kind_of_an_address(kind: AddressKind, text: str) -> None:
    assert classify(ip_address(text)) is kind


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_ipv6_is_never_freer_than_itself(address: IPv4Address) -> None:
    kind = classify(address)
    assert classify(IPv6Address(f"::ffff:{address}")) is kind
    low = int(address)
    hidden = [IPv6Address((0x64FF9B << 96) | low), IPv6Address((0x2002 << 112) | (low << 80)), IPv6Address(low)]
    for form in hidden:
        assert kind is AddressKind.GLOBAL or classify(form) is not AddressKind.GLOBAL


@given(st.ip_addresses())
def test_only_what_the_registries_call_global_is_global(address: IPv4Address | IPv6Address) -> None:
    if classify(address) is AddressKind.GLOBAL:
        assert unwrap(address).is_global
        assert not address.is_multicast


@pytest.mark.parametrize("text", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"])
def test_an_address_in_disguise_is_known_as_what_it_leads_to(text: str) -> None:
    assert unwrap(ip_address(text)) == ip_address("10.1.2.3")
