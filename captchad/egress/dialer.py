"""Opens connections: resolve, check scope and addresses, dial exactly what was checked."""

import asyncio

from captchad.domain.address import IpAddress
from captchad.domain.target import Endpoint
from captchad.egress.resolver import Resolver
from captchad.egress.scope import ScopePolicy
from captchad.runtime.clock import Clock

CONNECT_TIMEOUT_SECONDS = 10.0
STREAM_LIMIT_BYTES = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class DialFailed(Exception):
    """The destination is allowed but could not be connected to."""


class CheckedDialer:
    """The only maker of outbound connections."""

    def __init__(
        self,
        policy: ScopePolicy,
        resolver: Resolver,
        clock: Clock,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._clock = clock
        self._connect_timeout_seconds = connect_timeout_seconds

    async def dial(self, endpoint: Endpoint) -> Streams:
        """Connect to an endpoint in scope.

        Raises EgressRefused where the policy forbids it, ResolutionFailed or DialFailed where it doesn't work.
        """
        target = self._policy.check_endpoint(endpoint, self._clock.today())
        addresses = await self._resolver.resolve(endpoint.host, endpoint.port)
        self._policy.check_addresses(endpoint, target, addresses)
        return await self._connect_to_first(endpoint, addresses)

    async def _connect_to_first(self, endpoint: Endpoint, addresses: tuple[IpAddress, ...]) -> Streams:
        failures = []
        for address in addresses:
            try:
                async with asyncio.timeout(self._connect_timeout_seconds):
                    return await asyncio.open_connection(str(address), endpoint.port, limit=STREAM_LIMIT_BYTES)
            except TimeoutError:
                failures.append(f"{address}: no answer within {self._connect_timeout_seconds:g} s")
            except OSError as error:
                failures.append(f"{address}: {error.strerror or error}")
        raise DialFailed(f"{endpoint} can't be connected to ({'; '.join(failures)})")
