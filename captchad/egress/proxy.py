"""The filtering proxy: the only way the browser has to anything at all."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from captchad.domain.errors import DependencyMissing, TargetNotAllowed
from captchad.domain.ports import LOOPBACK_HOST, show_host
from captchad.domain.target import PAGE_SCHEMES, Origin, parse_origin
from captchad.egress.dialer import STREAM_LIMIT_BYTES, CheckedDialer, Streams
from captchad.egress.known_browsers import KnownBrowsers
from captchad.egress.proxy_connection import NOWHERE, ConnectionLimits, ProxyConnection, basic_authorisation
from captchad.egress.proxy_place import ProxyPlace
from captchad.egress.refusals import Refusal, RefusalBook, RefusalListener
from captchad.egress.resolver import Resolver
from captchad.egress.scope import EgressRefused, RefusalReason, ScopePolicy
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

CONNECTIONS_LIMIT = 2048
_USERNAME = "captchad"
_SECRET_BYTES = 24

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """How a browser reaches the proxy, and its credentials."""

    url: str
    username: str
    password: str = field(repr=False)


class FilteringProxy(Service):
    """An HTTP proxy that connects to declared targets only and serves none but its own browsers.

    It listens on loopback, unless `place` says where browsers elsewhere can reach it.
    """

    name = "proxy"

    def __init__(
        self,
        policy: ScopePolicy,
        clock: Clock,
        resolver: Resolver | None = None,
        on_refusal: RefusalListener | None = None,
        limits: ConnectionLimits | None = None,
        place: ProxyPlace | None = None,
    ) -> None:
        self._place = place or ProxyPlace()
        self._host = LOOPBACK_HOST
        self._policy = policy
        self._clock = clock
        self._dialer = CheckedDialer(policy, resolver or Resolver(), clock)
        self._refusals = RefusalBook(clock, on_refusal)
        self._limits = limits or ConnectionLimits()
        self._password = secrets.token_urlsafe(_SECRET_BYTES)
        self._known_browsers = KnownBrowsers(clock)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._connections = TaskSet(self.name)

    @property
    def address(self) -> ProxyAddress:
        """Where and how to reach the proxy; valid once it is started."""
        return ProxyAddress(f"http://{show_host(self._host)}:{self._port}", _USERNAME, self._password)

    @property
    def host(self) -> str:
        """The host that browsers use for the proxy; valid once it is started."""
        return self._host

    @property
    def refusal_counts(self) -> Mapping[str, int]:
        """How many connections were refused since the start, by reason."""
        return self._refusals.counts

    @property
    def open_connections(self) -> int:
        """How many connections from browsers are open now."""
        return len(self._connections)

    async def admit(self, browser_pid: int) -> bool:
        """Let a browser of this machine connect without the password; False where it still has to send it.

        With the password, Chromium asks its driver for the credentials on each request, which slows every page down.
        """
        return await self._known_browsers.admit(browser_pid)

    def check_origin(self, origin: Origin) -> None:
        """Raise EgressRefused, counted like any other, if an origin is out of scope before it is even dialled."""
        try:
            self._policy.check_origin(origin, self._clock.today())
        except EgressRefused as error:
            self._refusals.note(origin, error)
            raise

    def check_url(self, url: str) -> None:
        """Raise EgressRefused, counted like any other, if a page may not be opened or be at `url`."""
        try:
            origin = parse_origin(url)
        except TargetNotAllowed as error:
            scheme = url.partition(":")[0].lower()
            is_forbidden = scheme not in PAGE_SCHEMES
            reason = RefusalReason.FORBIDDEN_SCHEME if is_forbidden else RefusalReason.INVALID_DESTINATION
            refused = EgressRefused(reason, error.message)
            self._refusals.note(NOWHERE, refused)
            raise refused from None
        self.check_origin(origin)

    def note_forbidden_scheme(self, message: str) -> None:
        """Count a page that left, or tried to leave, for a forbidden scheme."""
        self._refusals.note(NOWHERE, EgressRefused(RefusalReason.FORBIDDEN_SCHEME, message))

    def find_refusal(self, origin: Origin, since_seconds: float) -> Refusal | None:
        """Return the last refusal of an origin since a moment of the monotonic clock."""
        return self._refusals.find_last(origin, since_seconds)

    async def start(self) -> None:
        """Listen; the port itself becomes unreachable through the proxy. DependencyMissing where that can't be."""
        try:
            bound = await asyncio.to_thread(self._place.find_listen_host)
            self._server = await self._listen(bound)
        except OSError as error:
            raise DependencyMissing(f"the proxy can't listen for its browsers (browser.proxy_host): {error}") from None
        self._port = self._server.sockets[0].getsockname()[1]
        self._host = self._place.advertised_host or bound
        for host in (LOOPBACK_HOST, bound, self._host):
            self._policy.protect(host, self._port)

    async def _listen(self, host: str) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _ClientProtocol(loop, self._begin_connection), host, self._place.port)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._connections.cancel_all()

    def health(self) -> ServiceHealth:
        """Say whether the proxy listens, and what it refused."""
        details = {"open_connections": self.open_connections, "refusals": dict(self._refusals.counts)}
        is_ready = self._server is not None
        return ServiceHealth(is_ready, "" if is_ready else "not listening", details)

    def _begin_connection(self, streams: Streams) -> "asyncio.Task[None] | None":
        if len(self._connections) >= CONNECTIONS_LIMIT:
            _logger.warning("refused a connection to the proxy: %d are open already", CONNECTIONS_LIMIT)
            streams[1].close()
            return None
        return self._connections.spawn(self._serve(streams), "connection")

    async def _serve(self, streams: Streams) -> None:
        authorisation = None if await self._is_known(streams[1]) else basic_authorisation(_USERNAME, self._password)
        connection = ProxyConnection(streams, self._dialer, self._refusals, authorisation, self._limits)
        try:
            await connection.serve()
        finally:
            streams[1].close()

    async def _is_known(self, writer: asyncio.StreamWriter) -> bool:
        remote, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        return bool(remote and own) and await self._known_browsers.has(remote[:2], own[:2])


class _ClientProtocol(asyncio.StreamReaderProtocol):
    """Cancels the connection's task as soon as the browser closes its side, even while the site has yet to answer."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, begin: Callable[[Streams], "asyncio.Task[None] | None"]
    ) -> None:
        self._begin = begin
        self._serving: asyncio.Task[None] | None = None
        super().__init__(asyncio.StreamReader(limit=STREAM_LIMIT_BYTES, loop=loop), self._on_connected, loop=loop)

    def _on_connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving = self._begin((reader, writer))

    def eof_received(self) -> bool:
        super().eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._serving is not None:
            self._serving.cancel()
