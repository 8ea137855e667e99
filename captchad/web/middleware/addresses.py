"""Finds the address a request really comes from, behind the proxies the operator trusts."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from captchad.domain.errors import ConfigurationError, ConfigurationProblem

IPV6_CALLER_PREFIX_BITS = 64
UNKNOWN_ADDRESS = "unknown"
_CACHED_ADDRESSES = 4096


class ClientAddresses:
    """Tells callers apart; `trusted_proxies` are addresses or networks whose forwarding headers are believed."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted = tuple(_parse_network(text) for text in trusted_proxies)

    def find(self, peer: str | None, forwarded_for: Iterable[str]) -> str:
        """Return the nearest address that is no trusted proxy, as the rate limit names it.

        An IPv6 caller is named by its /64, since one subscriber has all addresses of that.
        """
        current = peer or UNKNOWN_ADDRESS
        if self._trusted:
            hops = [hop.strip() for header in forwarded_for for hop in header.split(",")]
            while hops and self.is_trusted(current):
                hop = _strip_port(hops.pop())
                if _parse_address(hop) is None:
                    break
                current = hop
        return name_caller(current)

    def is_trusted(self, text: str) -> bool:
        """Whether an address is a proxy's whose word is believed."""
        address = _parse_address(text)
        return address is not None and any(address in network for network in self._trusted)


@lru_cache(_CACHED_ADDRESSES)
def name_caller(text: str) -> str:
    """Return the name under which an address is counted."""
    address = _parse_address(text)
    if address is None:
        return UNKNOWN_ADDRESS
    if isinstance(address, IPv4Address) or address.is_loopback:
        return str(address)
    return str(IPv6Network((int(address), IPV6_CALLER_PREFIX_BITS), strict=False).network_address)


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _strip_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parse_network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        problem = ConfigurationProblem("gateway.trusted_proxies", f"{text!r} is neither an address nor a network")
        raise ConfigurationError((problem,)) from None
