"""How connections from browsers come in."""

import asyncio
from collections.abc import Callable

from captchad.egress.dialer import STREAM_LIMIT_BYTES, Streams

ConnectionStart = Callable[[Streams], "asyncio.Task[None] | None"]


class ClientProtocol(asyncio.StreamReaderProtocol):
    """Cancels the connection's task as soon as the browser closes its side, even while the site has yet to answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: ConnectionStart) -> None:
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
