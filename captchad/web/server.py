"""The HTTP server as a service: binds a port, answers until closed, and says who holds a port it can't have."""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.domain.ports import HIGHEST_PORT, LOOPBACK_HOST, PORTS_OF_OTHERS, show_host
from captchad.runtime.port_holder import describe_holder
from captchad.runtime.service import Service, ServiceHealth
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.metrics import Metrics
from captchad.web.caller_connection import CallerConnection
from captchad.web.connection_desk import ConnectionDesk, Guest
from captchad.web.connections import ConnectionLimits, ConnectionTable
from captchad.web.server_tls import ServerTls
from captchad.web.tls_door import TlsDoor

_logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75.0
LINGERING_SECONDS = 5.0
SHUTDOWN_SECONDS = 8.0
BACKLOG = 1024

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_NO_LIMITS = ConnectionLimits()


@dataclass(frozen=True, slots=True)
class Bind:
    """Where to listen; port 0 takes any free one, `search_upwards` takes the next free one from `port` on.

    An `inherited` socket listens already, at `host`.
    """

    host: str = LOOPBACK_HOST
    port: int = 0
    search_upwards: bool = False
    inherited: socket.socket | None = None


class WebServer(Service):
    """Serves `application`.

    Start it first: it then answers probes while the rest gets ready, and drains last, when everything else has
    drained, so that probes see the process until its end and no request loses its broker in the middle.
    """

    name = "web"

    def __init__(
        self,
        bind: Bind,
        application: web.Application,
        limits: ConnectionLimits = _NO_LIMITS,
        metrics: Metrics | None = None,
        tls: ServerTls | None = None,
    ) -> None:
        self._bind = bind
        self._runner = web.AppRunner(
            application,
            handle_signals=False,
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
            # Nobody waits for a task any more whose connection is closed.
            handler_cancellation=True,
        )
        self._tls = tls
        seconds = 0 if tls is None else tls.strict_transport_security_seconds
        self._desk = ConnectionDesk(ConnectionTable(limits), metrics, seconds)
        self._handshakes = TaskSet("web")
        self._listener: asyncio.Server | None = None

    @property
    def bound_port(self) -> int:
        """The port it listens on; 0 before the start."""
        if self._listener is None or not self._listener.sockets:
            return 0
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def certificate_digest(self) -> str | None:
        """The SHA-256 of the certificate it shows, in hex; None where it speaks plain HTTP."""
        return None if self._tls is None else self._tls.digest

    def health(self) -> ServiceHealth:
        """Say whether it listens, and where."""
        is_listening = self._listener is not None
        return ServiceHealth(is_listening, "" if is_listening else "not listening", self._describe())

    async def start(self) -> None:
        """Bind; ConfigurationError names the holder of a port that is taken."""
        await self._runner.setup()
        assert self._runner.server is not None
        self._runner.server.request_handler = self._note_served(self._runner.server.request_handler)
        self._listener = await self._listen()
        host = self._listener.sockets[0].getsockname()[0]
        scheme = "http" if self._tls is None else "https"
        _logger.info("listening on %s://%s:%d", scheme, show_host(host), self.bound_port)

    async def run(self) -> None:
        """Take over each new certificate, where there is any; the connections themselves need nobody."""
        await (super().run() if self._tls is None else self._tls.watch())

    async def drain(self) -> None:
        """Stop listening, end streams, finish the requests under way, close every connection."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._handshakes.cancel_all()
        if self._runner.server is not None:
            await self._runner.cleanup()

    async def close(self) -> None:
        """Do what `drain` does, in case it was never called."""
        await self.drain()

    async def _listen(self) -> asyncio.Server:
        inherited = self._bind.inherited
        if inherited is not None:
            return await asyncio.get_running_loop().create_server(self._open_door, sock=inherited, backlog=BACKLOG)
        port = self._bind.port
        while True:
            try:
                return await asyncio.get_running_loop().create_server(
                    self._open_door, self._bind.host, port, backlog=BACKLOG
                )
            except OSError as error:
                if not self._bind.search_upwards or error.errno != errno.EADDRINUSE:
                    raise ConfigurationError((self._explain(port, error),)) from error
            port = next_port(port)

    def _open_door(self) -> asyncio.Protocol:
        if self._tls is None:
            return self._make_connection()
        return TlsDoor(self._make_connection, self._tls.context, self._desk, self._handshakes)

    def _make_connection(self, door: Guest | None = None) -> CallerConnection:
        server = self._runner.server
        if server is None:
            raise ConnectionError("the server is closing")
        return CallerConnection(
            server,
            self._desk,
            door,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            access_log=None,
            # Compressed bodies are refused: a small one could unpack to more than any limit.
            auto_decompress=False,
        )

    def _note_served(self, handle: Handler) -> Handler:
        """Wrap the application's handler, so that the connection learns when a request is here as a whole."""

        def serve(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
            connection = request.protocol
            assert isinstance(connection, CallerConnection)
            # At once for a request without a body.
            request.content.on_eof(lambda: connection.note_whole(request))
            return handle(request)

        return serve

    def _describe(self) -> dict[str, int | str]:
        certificate = {} if self._tls is None else {"certificate_expires": self._tls.expires}
        return {"port": self.bound_port, "connections": len(self._desk.table), **certificate}

    def _explain(self, port: int, error: OSError) -> ConfigurationProblem:
        place = f"{self._bind.host} port {port}"
        if error.errno == errno.EADDRINUSE:
            return ConfigurationProblem("", f"{place} is taken by {describe_holder(port)}; choose another with --port")
        if error.errno == errno.EACCES:
            return ConfigurationProblem("", f"{place} needs privileges this process lacks; choose one above 1023")
        return ConfigurationProblem("", f"can't listen on {place}: {error.strerror or error}")


def next_port(port: int) -> int:
    """Return the next port to try, past those of other roles; ConfigurationError at the end of all ports."""
    candidate = port + 1
    while candidate in PORTS_OF_OTHERS:
        candidate += 1
    if candidate > HIGHEST_PORT:
        raise ConfigurationError((ConfigurationProblem("", "there is no free port above the one asked for"),))
    return candidate
