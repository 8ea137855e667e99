"""Where no page may get to: a port that notices everybody who comes."""

import asyncio


class Goal(asyncio.DatagramProtocol):
    """A port that counts whoever comes, by TCP or UDP, and answers HTTP in the shortest way."""

    def __init__(self) -> None:
        self.visits = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._datagrams: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))

    async def stop(self) -> None:
        assert self._server is not None
        assert self._datagrams is not None
        self._server.close()
        self._datagrams.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.visits += 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        await reader.read(1024)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
