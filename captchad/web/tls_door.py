"""Before a caller's connection where a port speaks TLS: the handshake, bounded in time and number like a request."""

import asyncio
import logging
import ssl
from collections.abc import Callable

from captchad.runtime.spawn import TaskSet
from captchad.web.caller_connection import CallerConnection
from captchad.web.connection_desk import ConnectionDesk

_logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
CLOSING_SECONDS = 2.0
"""How long a caller is waited for that should confirm the end of its connection."""


class TlsDoor(asyncio.Protocol):
    """One connection until its handshake is done; from then on all that happens to it is its CallerConnection's."""

    def __init__(
        self,
        make_connection: Callable[[], CallerConnection],
        context: ssl.SSLContext,
        desk: ConnectionDesk,
        handshakes: TaskSet,
    ) -> None:
        self._make_connection = make_connection
        self._context = context
        self._desk = desk
        self._handshakes = handshakes
        self._transport: asyncio.Transport | None = None
        self._connection: CallerConnection | None = None
        self._early = bytearray()
        self._is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter the table, and shake hands."""
        assert isinstance(transport, asyncio.Transport)
        # What comes belongs to the handshake, which begins in another turn of the event loop.
        transport.pause_reading()
        self._transport = transport
        self._desk.enter(self, transport)
        self._handshakes.spawn(self._shake_hands(transport), "handshake")

    def data_received(self, data: bytes) -> None:
        """Pass on what the caller sent; it may come with the last of the handshake."""
        if self._connection is None:
            self._early += data
        else:
            self._connection.data_received(data)

    def eof_received(self) -> bool:
        """Let TLS close the connection, as it does in any case."""
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """Pass on the end."""
        self._is_lost = True
        if self._connection is not None:
            self._connection.connection_lost(exc)

    def give_up(self) -> None:
        """Close the connection now."""
        if self._transport is not None:
            self._transport.abort()

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        secure: asyncio.Transport | None = None
        try:
            if not transport.is_closing():
                secure = await asyncio.get_running_loop().start_tls(
                    transport,
                    self,
                    self._context,
                    server_side=True,
                    ssl_handshake_timeout=HANDSHAKE_SECONDS,
                    ssl_shutdown_timeout=CLOSING_SECONDS,
                )
        except OSError as error:
            self._note_failure(error)
        finally:
            self._desk.table.leave(self)
            if secure is None:
                transport.abort()
        if secure is not None and not self._is_lost:
            self._hand_over(secure)

    def _hand_over(self, secure: asyncio.Transport) -> None:
        try:
            connection = self._make_connection()
        except ConnectionError:
            secure.abort()
            return
        connection.connection_made(secure)
        self._connection = connection
        secure.set_protocol(connection)
        if self._early:
            connection.data_received(bytes(self._early))
            self._early.clear()

    def _note_failure(self, error: OSError) -> None:
        # Scanners and plain HTTP come to every port; none of it is worth a line of a usual log.
        _logger.debug("a TLS handshake failed: %s", error)
        is_slow = isinstance(error, ConnectionAbortedError)
        self._desk.note_closed("slow_handshake" if is_slow else "failed_handshake")
