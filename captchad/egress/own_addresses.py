"""The addresses of this machine."""

from ipaddress import ip_address

import psutil

from captchad.domain.address import IpAddress, unwrap


def own_addresses() -> frozenset[IpAddress]:
    """Return every address of this machine's interfaces."""
    found = set()
    for interface in psutil.net_if_addrs().values():
        for entry in interface:
            try:
                found.add(unwrap(ip_address(entry.address)))
            except ValueError:
                continue
    return frozenset(found)
