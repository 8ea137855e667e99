"""The HTTP server as a service: binds a port, answers until closed, and says who holds a port it can't have."""

import asyncio
import errno
import logging
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.domain.ports import HIGHEST_PORT, LOOPBACK_HOST, PORTS_OF_OTHERS
from captchad.runtime.port_holder import describe_holder
from captchad.runtime.service import Service, ServiceHealth
from captchad.web.problems import answer_problem

_logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75.0
LINGERING_SECONDS = 5.0
SHUTDOWN_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Bind:
    """Where to listen; port 0 takes any free one, `search_upwards` takes the next free one from `port` on."""

    host: str = LOOPBACK_HOST
    port: int = 0
    search_upwards: bool = False


class ProblemProtocol(RequestHandler):
    """aiohttp's connection, answering malformed HTTP with problem details instead of plain text."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that never reached the gate."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is already under way")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _logger.error("a request failed outside its handler", exc_info=exc)
            response = answer_problem("internal_error", "see the log of this role", "")
        else:
            _logger.debug("refused a request that is not HTTP: %s", message)
            response = answer_problem("invalid_request", "the request is not well-formed HTTP", "")
        response.force_close()
        return response


class WebServer(Service):
    """Serves `application`.

    Start it first: it then answers probes while the rest gets ready, and drains last, when everything else has
    drained, so that probes see the process until its end and no request loses its broker in the middle.
    """

    name = "web"

    def __init__(self, bind: Bind, application: web.Application) -> None:
        self._bind = bind
        self._runner = web.AppRunner(
            application, handle_signals=False, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS
        )
        self._listener: asyncio.Server | None = None

    @property
    def bound_port(self) -> int:
        """The port it listens on; 0 before the start."""
        if self._listener is None or not self._listener.sockets:
            return 0
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def health(self) -> ServiceHealth:
        """Say whether it listens, and where."""
        is_listening = self._listener is not None
        return ServiceHealth(is_listening, "" if is_listening else "not listening", {"port": self.bound_port})

    async def start(self) -> None:
        """Bind; ConfigurationError names the holder of a port that is taken."""
        await self._runner.setup()
        self._listener = await self._listen()
        _logger.info("listening on http://%s:%d", self._bind.host, self.bound_port)

    async def drain(self) -> None:
        """Stop listening, end streams, finish the requests under way, close every connection."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._runner.server is not None:
            await self._runner.cleanup()

    async def close(self) -> None:
        """Do what `drain` does, in case it was never called."""
        await self.drain()

    async def _listen(self) -> asyncio.Server:
        port = self._bind.port
        while True:
            try:
                return await asyncio.get_running_loop().create_server(self._make_protocol, self._bind.host, port)
            except OSError as error:
                if not self._bind.search_upwards or error.errno != errno.EADDRINUSE:
                    raise ConfigurationError((self._explain(port, error),)) from error
            port = next_port(port)

    def _make_protocol(self) -> ProblemProtocol:
        server = self._runner.server
        if server is None:
            raise ConnectionError("the server is closing")
        return ProblemProtocol(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # documented, but not annotated
            # Compressed bodies are refused: a small one could unpack to more than any limit.
            auto_decompress=False,
        )

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
