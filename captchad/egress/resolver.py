"""Turns host names into addresses; whoever dials uses these addresses and never resolves again."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from captchad.domain.address import IpAddress
from captchad.domain.target import spelled_addresses

RESOLVE_TIMEOUT_SECONDS = 10.0
LOOKUPS_AT_ONCE = 16


class ResolutionFailed(Exception):
    """A host name has no address, or none was given in time."""


class Resolver:
    """Resolves with the system's resolver, off the event loop.

    It has threads of its own: lookups can hang for minutes, and must not hold up everything else done in threads.
    """

    def __init__(self, timeout_seconds: float = RESOLVE_TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="resolver")

    async def resolve(self, host: str, port: int) -> tuple[IpAddress, ...]:
        """Return every address of `host` once, in the resolver's order; ResolutionFailed when there is none."""
        # Loopback names are so by definition (RFC 6761): no name server is asked, which could answer anything.
        spelled = spelled_addresses(host)
        if spelled:
            return spelled
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await self._look_up(host, port)
        except TimeoutError:
            raise ResolutionFailed(f"{host} could not be resolved within {self._timeout_seconds:g} s") from None
        except (OSError, UnicodeError) as error:
            raise ResolutionFailed(f"{host} could not be resolved: {error}") from None
        if not found:
            raise ResolutionFailed(f"{host} has no address")
        return found

    async def _look_up(self, host: str, port: int) -> tuple[IpAddress, ...]:
        loop = asyncio.get_running_loop()
        entries = await loop.run_in_executor(self._threads, _ask_system, host, port)
        return tuple(dict.fromkeys(ip_address(str(entry[4][0])) for entry in entries))


def _ask_system(host: str, port: int) -> list[tuple[Any, ...]]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
