"""Opens connections: resolve, check scope and addresses, dial exactly what was checked."""

import asyncio

from captchad.domain.address import IpAddress
from captchad.domain.target import Origin
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

    async def dial(self, origin: Origin) -> Streams:
        """Connect to an origin in scope.

        Raises EgressRefused where the policy forbids it, ResolutionFailed or DialFailed where it doesn't work.
        """
        target = self._policy.check_origin(origin, self._clock.today())
        addresses = await self._resolver.resolve(origin.host, origin.port)
        self._policy.check_addresses(origin, target, addresses)
        # By address: a second lookup of the name could answer differently (DNS rebinding).
        return await self._connect_to_first(origin, addresses)

    async def _connect_to_first(self, origin: Origin, addresses: tuple[IpAddress, ...]) -> Streams:
        failures = []
        for address in addresses:
            try:
                async with asyncio.timeout(self._connect_timeout_seconds):
                    return await asyncio.open_connection(str(address), origin.port, limit=STREAM_LIMIT_BYTES)
            except TimeoutError:
                failures.append(f"{address}: no answer within {self._connect_timeout_seconds:g} s")
            except OSError as error:
                failures.append(f"{address}: {error.strerror or error}")
        raise DialFailed(f"can't connect to {origin} ({'; '.join(failures)})")
