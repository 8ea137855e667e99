"""The filtering proxy: the only way the browser has to anything at all."""

import asyncio
import hmac
import logging
import secrets
from collections.abc import Mapping

from captchad.domain.errors import DependencyMissing, TargetNotAllowed
from captchad.domain.ports import LOOPBACK_HOST, show_host
from captchad.domain.target import PAGE_SCHEMES, Origin, parse_origin
from captchad.egress.certificate_faults import SiteCertificate
from captchad.egress.client_protocol import ClientProtocol
from captchad.egress.dialer import CheckedDialer, Streams
from captchad.egress.http_head import RequestHead, find_values
from captchad.egress.known_browsers import KnownBrowsers
from captchad.egress.own_ports import OwnPorts
from captchad.egress.proxy_access import ProxyAccess, ProxyAddress
from captchad.egress.proxy_connection import NOWHERE, ConnectionLimits, ProxyConnection, basic_authorisation
from captchad.egress.proxy_place import ProxyPlace
from captchad.egress.refusals import Refusal, RefusalBook, RefusalListener
from captchad.egress.resolver import Resolver
from captchad.egress.scope import EgressRefused, RefusalReason, ScopePolicy
from captchad.egress.tunnels import Tunnels
from captchad.runtime.clock import Clock
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet

CONNECTIONS_LIMIT = 2048
_USERNAME = "captchad"
_SECRET_BYTES = 24

_logger = logging.getLogger(__name__)


class FilteringProxy(Service):
    """An HTTP proxy that connects to declared targets only and serves none but its own browsers.

    Each context has an access of its own: by a port on loopback for this machine's admitted browsers, by a password for
    others, at the one port where `place` says that they can reach the proxy.
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
        self._tunnels = Tunnels(self._dialer, policy, clock)
        self._refusals = RefusalBook(clock, on_refusal)
        self._limits = limits or ConnectionLimits()
        self._known_browsers = KnownBrowsers(clock)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._own_ports = OwnPorts(policy, self._begin_connection)
        self._logins: dict[bytes, ProxyAccess] = {}
        self._connections = TaskSet(self.name)

    @property
    def host(self) -> str:
        """The host that browsers use for the proxy; valid once it is started."""
        return self._host

    @property
    def key_hash(self) -> str:
        """The base64 SHA-256 of the key by which a browser knows the proxy, where that ends TLS in a site's place."""
        return self._tunnels.end.key_hash

    @property
    def refusal_counts(self) -> Mapping[str, int]:
        """How many connections were refused since the start, by reason."""
        return self._refusals.counts

    @property
    def open_connections(self) -> int:
        """How many connections from browsers are open now."""
        return len(self._connections)

    @property
    def contexts(self) -> int:
        """How many contexts have an access now."""
        return len(self._own_ports) + len(self._logins)

    async def admit(self, browser_pid: int) -> bool:
        """Let a browser of this machine connect without a password; False where its contexts must send one.

        With a password, Chromium asks its driver for the credentials on each request, which slows every page down.
        """
        return await self._known_browsers.admit(browser_pid)

    async def open_port(self) -> ProxyAccess:
        """Return an access for a context of an admitted browser, by a port of its own; OSError where there is none."""
        return await self._own_ports.open()

    async def open_login(self) -> ProxyAccess:
        """Return an access for a context of any browser that reaches the proxy, by a password of its own."""
        password = secrets.token_urlsafe(_SECRET_BYTES)
        shown = basic_authorisation(_USERNAME, password).encode()
        address = ProxyAddress(f"http://{show_host(self._host)}:{self._port}", _USERNAME, password)
        self._logins[shown] = ProxyAccess(address, lambda: self._logins.pop(shown))
        return self._logins[shown]

    def _find_login(self, request: RequestHead) -> ProxyAccess | None:
        given = find_values(request.headers, "proxy-authorization")
        if len(given) != 1:
            return None
        shown = given[0].encode("latin-1")
        return next((access for known, access in self._logins.items() if hmac.compare_digest(shown, known)), None)

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

    def find_failure(self, origin: Origin, since_seconds: float) -> str | None:
        """Return why an origin was not reached last, if that was since a moment of the monotonic clock."""
        return self._refusals.find_failure(origin, since_seconds)

    async def look_at_certificate(self, origin: Origin) -> SiteCertificate | None:
        """Return what the certificate of a site says, to explain why a browser refused it; None where unknown."""
        return await self._tunnels.look(origin)

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
        return await loop.create_server(lambda: ClientProtocol(loop, self._begin_login), host, self._place.port)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._own_ports.close()
        await self._connections.cancel_all()

    def health(self) -> ServiceHealth:
        """Say whether the proxy listens, and what it refused."""
        details = {
            "contexts": self.contexts,
            "open_connections": self.open_connections,
            "refusals": dict(self._refusals.counts),
        }
        is_ready = self._server is not None
        return ServiceHealth(is_ready, "" if is_ready else "not listening", details)

    def _begin_login(self, streams: Streams) -> "asyncio.Task[None] | None":
        return self._begin_connection(None, streams)

    def _begin_connection(self, access: ProxyAccess | None, streams: Streams) -> "asyncio.Task[None] | None":
        if len(self._connections) >= CONNECTIONS_LIMIT:
            _logger.warning("refused a connection to the proxy: %d are open already", CONNECTIONS_LIMIT)
            streams[1].close()
            return None
        return self._connections.spawn(self._serve(access, streams), "connection")

    async def _serve(self, access: ProxyAccess | None, streams: Streams) -> None:
        """Serve a connection to the port of `access`, or to the one where every request has to show a password."""
        known = access if access is not None and await self._is_known(streams[1]) else None
        find_access = self._find_login if known is None else lambda _: known
        connection = ProxyConnection(streams, self._dialer, self._refusals, find_access, self._limits, self._tunnels)
        try:
            await connection.serve()
        except asyncio.CancelledError:
            # Cut off: what the site has sent so far must not arrive either.
            streams[1].transport.abort()
            raise
        finally:
            streams[1].close()

    async def _is_known(self, writer: asyncio.StreamWriter) -> bool:
        remote, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        return bool(remote and own) and await self._known_browsers.has(remote[:2], own[:2])
