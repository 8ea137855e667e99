"""Where the filtering proxy listens: on loopback, or where browsers elsewhere can reach it."""

import socket
from dataclasses import dataclass

from captchad.domain.ports import LOOPBACK_HOST


@dataclass(frozen=True, slots=True)
class ProxyPlace:
    """`listen_host` is the address to bind and `advertised_host` what browsers dial where that differs; port 0: any.

    With no `listen_host`, it is this machine's own address on the way to `towards` (host, port), or loopback.
    """

    listen_host: str | None = None
    advertised_host: str | None = None
    port: int = 0
    towards: tuple[str, int] | None = None

    def find_listen_host(self) -> str:
        """Return the address to bind; OSError where the name of `towards` is unknown or no way leads there. Blocks."""
        if self.listen_host is not None:
            return self.listen_host
        return LOOPBACK_HOST if self.towards is None else find_own_address(*self.towards)


def find_own_address(host: str, port: int) -> str:
    """Return this machine's address on the way to a host; OSError where there is none. Nothing is sent. Blocks."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(address)
        return str(probe.getsockname()[0])
