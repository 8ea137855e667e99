"""Before a caller's connection where a port speaks TLS: the handshake, bounded in time and number like a request."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import cast

from captchad.runtime.spawn import TaskSet
from captchad.web.caller_connection import CallerConnection
from captchad.web.connection_desk import ConnectionDesk, Guest

_logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
CLOSING_SECONDS = 2.0
"""How long a caller is waited for that should confirm the end of its connection."""


class TlsDoor(asyncio.Protocol):
    """One accepted connection until its handshake is done.

    A server that is told of TLS accepts any number of handshakes, and says nothing of them until they are done. This
    one only accepts, hands each socket on, and keeps hold of it.
    """

    def __init__(
        self,
        make_connection: Callable[[Guest], CallerConnection],
        context: ssl.SSLContext,
        desk: ConnectionDesk,
        handshakes: TaskSet,
    ) -> None:
        self._make_connection = make_connection
        self._context = context
        self._desk = desk
        self._handshakes = handshakes
        self._socket: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter the table, and shake hands on a socket of one's own: this transport would read what belongs to TLS."""
        # uvloop's transports are of no class of asyncio's.
        accepting = cast("asyncio.Transport", transport)
        try:
            self._socket = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        except OSError as error:
            self._note_failure(error)
            accepting.abort()
            return
        self._socket.setblocking(False)
        self._desk.enter(self, transport)
        accepting.abort()
        self._handshakes.spawn(self._shake_hands(self._socket), "handshake")

    def give_up(self) -> None:
        """Close the connection now."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    async def _shake_hands(self, accepted: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                partial(self._make_connection, self),
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=CLOSING_SECONDS,
            )
        except OSError as error:
            self._note_failure(error)
            accepted.close()
        finally:
            self._desk.table.leave(self)

    def _note_failure(self, error: OSError) -> None:
        # Scanners and plain HTTP come to every port; none of it is worth a line of a usual log.
        _logger.debug("a TLS handshake failed: %s", error)
        is_slow = isinstance(error, ConnectionAbortedError)
        self._desk.note_closed("slow_handshake" if is_slow else "failed_handshake")
