"""Tells what kind of address an IP address is, looking through the forms that hide another one."""

from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IpAddress = IPv4Address | IPv6Address

METADATA_ADDRESSES = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.169.253",
        "169.254.169.123",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.0.23",
        "169.254.42.42",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::253",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:42::42",
        "fe80::a9fe:a9fe",
    )
)
"""Where clouds hand out credentials and settings to whoever asks from inside."""

LOOPBACK_ADDRESSES: tuple[IpAddress, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
"""What `localhost` and every name under it lead to."""

_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_NAT64 = IPv6Network("64:ff9b::/96")
_TUNNELS = tuple(IPv6Network(text) for text in ("2002::/16", "2001::/32", "64:ff9b:1::/48", "::ffff:0:0:0/96"))
_LOW_32_BITS = 0xFFFF_FFFF


class AddressKind(Enum):
    """What an address is to the egress policy."""

    GLOBAL = auto()
    PRIVATE = auto()
    METADATA = auto()
    UNUSABLE = auto()


def classify(address: IpAddress) -> AddressKind:
    """Return the kind of an address; IPv4 inside IPv6 counts as what it really leads to."""
    if isinstance(address, IPv6Address):
        return _classify_ipv6(IPv6Address(int(address)))
    if address in METADATA_ADDRESSES:
        return AddressKind.METADATA
    if address in _THIS_NETWORK or address.is_multicast or address.is_reserved:
        return AddressKind.UNUSABLE
    return _classify_reachable(address)


def _classify_ipv6(address: IPv6Address) -> AddressKind:
    if address.ipv4_mapped is not None:
        return classify(address.ipv4_mapped)
    if address in METADATA_ADDRESSES:
        return AddressKind.METADATA
    if address in _NAT64:
        # Only public IPv4 may be translated (RFC 6052), so anything else behind the prefix is a trick.
        inner = classify(_read_low_ipv4(address))
        return AddressKind.UNUSABLE if inner is AddressKind.PRIVATE else inner
    if address.is_loopback:
        return AddressKind.PRIVATE
    is_tunnel = any(address in network for network in _TUNNELS)
    if is_tunnel or address.is_unspecified or address.is_multicast or address.is_reserved:
        return AddressKind.UNUSABLE
    return _classify_reachable(address)


def _classify_reachable(address: IpAddress) -> AddressKind:
    is_site_local = isinstance(address, IPv6Address) and address.is_site_local
    if address.is_private or address.is_link_local or is_site_local or not address.is_global:
        return AddressKind.PRIVATE
    return AddressKind.GLOBAL


def _read_low_ipv4(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & _LOW_32_BITS)


def unwrap(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 one really leads to, and any other address without its zone."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    bare = IPv6Address(int(address))
    return _read_low_ipv4(bare) if bare in _NAT64 else bare
