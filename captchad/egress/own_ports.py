"""Ports on loopback that one browser context at a time has to itself."""

import asyncio
import socket
from collections.abc import Callable

from captchad.domain.ports import LOOPBACK_HOST
from captchad.egress.client_protocol import ClientProtocol
from captchad.egress.dialer import Streams
from captchad.egress.proxy_access import ProxyAccess, ProxyAddress
from captchad.egress.scope import ScopePolicy

AccessStart = Callable[[ProxyAccess, Streams], "asyncio.Task[None] | None"]


class OwnPorts:
    """Listens at as many ports as there are contexts; one whose context has gone is kept for the next."""

    def __init__(self, policy: ScopePolicy, begin: AccessStart) -> None:
        self._policy = policy
        self._begin = begin
        self._ports: list[_OwnPort] = []
        self._unused: list[_OwnPort] = []

    def __len__(self) -> int:
        """How many ports are in use."""
        return len(self._ports) - len(self._unused)

    async def open(self) -> ProxyAccess:
        """Return an access at a port that nobody else has; OSError where none can be had."""
        port = self._unused.pop() if self._unused else await self._listen()
        port.access = ProxyAccess(ProxyAddress(f"http://{LOOPBACK_HOST}:{port.number}"), lambda: self._take_back(port))
        return port.access

    def close(self) -> None:
        """Stop listening."""
        for port in self._ports:
            port.close()
        self._ports.clear()
        self._unused.clear()

    async def _listen(self) -> "_OwnPort":
        bound = socket.create_server((LOOPBACK_HOST, 0))
        port = _OwnPort(bound.getsockname()[1], self._begin)
        # For good, since the port is kept.
        self._policy.protect(LOOPBACK_HOST, port.number)
        await port.listen(bound)
        self._ports.append(port)
        return port

    def _take_back(self, port: "_OwnPort") -> None:
        port.access = None
        # Once closed, nothing is handed out again.
        if port in self._ports:
            self._unused.append(port)


class _OwnPort:
    """One port, and the access that it stands for now."""

    def __init__(self, number: int, begin: AccessStart) -> None:
        self.number = number
        self.access: ProxyAccess | None = None
        self._begin = begin
        self._server: asyncio.Server | None = None

    async def listen(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: ClientProtocol(loop, self._on_connected), sock=bound)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _on_connected(self, streams: Streams) -> "asyncio.Task[None] | None":
        if self.access is None:
            streams[1].close()
            return None
        return self._begin(self.access, streams)
