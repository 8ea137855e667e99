"""A site that answers as badly as HTTP allows: raw bytes on a socket, by path."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.integration.browser.stage import CAPTCHA_PNG

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

DRIP_SECONDS = 1.0
PIECE_BYTES = 64 * 1024
LARGE_BYTES = 100_000_000
PNG_START = CAPTCHA_PNG[:41]
"""A picture's signature and size, with nothing drawn yet."""

PADDED_PNG = CAPTCHA_PNG.ljust(3_000_000, b"\0")
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
PNG = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n"


def once(*parts: bytes) -> Answer:
    """Answer with these bytes and close."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(parts))
        await writer.drain()

    return answer


def page(html: str) -> Answer:
    return once(HTML, b"\r\n<!doctype html><body>", html.encode(), b"</body>")


def redirect(location: str) -> Answer:
    return once(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())


def drip(start: bytes, rest: bytes) -> Answer:
    """Answer with `start` at once and with one byte of `rest` a second, over and over."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            for at in range(len(rest)):
                writer.write(rest[at : at + 1])
                await writer.drain()
                await asyncio.sleep(DRIP_SECONDS)

    return answer


def flood(start: bytes, piece: bytes, pieces: int | None = None) -> Answer:
    """Answer with `start`, then with `piece` as fast as it is taken, for ever or so many times."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        sent = 0
        while pieces is None or sent < pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
            sent += 1

    return answer


def as_chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


NOT_FOUND = once(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
ATTACHMENT = b"Content-Disposition: attachment; filename=taken.bin\r\nContent-Type: application/octet-stream\r\n"
CHALLENGE = (
    b'WWW-Authenticate: Basic realm="who"\r\nProxy-Authenticate: Basic realm="captchad"\r\nContent-Length: 0\r\n'
)

ANSWERS: dict[str, Answer] = {
    "/picture": once(PNG, b"Content-Length: %d\r\n\r\n" % len(CAPTCHA_PNG), CAPTCHA_PNG),
    "/drip-head": drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: yes\r\n"),
    "/drip-page": drip(HTML + b"\r\n<!doctype html><body>", b"<p>slow</p>"),
    "/drip-picture": drip(PNG + b"\r\n" + PNG_START, b"\0"),
    "/drip-script": drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\n\r\n", b" "),
    "/endless-head": flood(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n" * 500),
    "/endless-line": flood(b"HTTP/1.1 200 OK\r\nX-More: ", b"x" * PIECE_BYTES),
    "/endless-hints": flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500),
    "/endless-page": flood(HTML + b"\r\n<!doctype html><body>", b"<p>more and more</p>" * 3000),
    "/endless-comment": flood(HTML + b"\r\n<!doctype html><body><!--", b"x" * PIECE_BYTES),
    "/endless-chunks": flood(HTML + b"Transfer-Encoding: chunked\r\n\r\n", as_chunk(b"<p>more</p>" * 3000)),
    "/endless-picture": flood(
        PNG + b"Transfer-Encoding: chunked\r\n\r\n" + as_chunk(PNG_START), as_chunk(b"\0" * 60000)
    ),
    "/large-picture": flood(
        PNG + b"Content-Length: %d\r\n\r\n" % (LARGE_BYTES + len(CAPTCHA_PNG)) + CAPTCHA_PNG,
        b"\0" * 100_000,
        LARGE_BYTES // 100_000,
    ),
    "/padded-picture": once(PNG, b"Content-Length: 3000000\r\n\r\n", PADDED_PNG),
    "/padded-chunks": once(PNG, b"Transfer-Encoding: chunked\r\n\r\n", as_chunk(PADDED_PNG), b"0\r\n\r\n"),
    "/download": once(b"HTTP/1.1 200 OK\r\n", ATTACHMENT, b"Content-Length: 4\r\n\r\nabcd"),
    "/endless-download": flood(b"HTTP/1.1 200 OK\r\n" + ATTACHMENT + b"\r\n", b"x" * PIECE_BYTES),
    "/nothing": once(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/no-http": once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "/hang-up": once(b""),
    "/broken-chunks": once(HTML, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"),
    "/login": once(b"HTTP/1.1 401 Unauthorized\r\n", CHALLENGE, b"\r\n"),
    "/false-proxy": once(b"HTTP/1.1 407 Proxy Authentication Required\r\n", CHALLENGE, b"\r\n"),
    "/loop": redirect("/loop"),
    "/growing-loop": redirect("/growing-loop?" + "x" * 8000),
}


class HostileSite:
    """Serves what is put on it, and `ANSWERS`; counts requests by path."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.heads: list[bytes] = []
        self.answers = dict(ANSWERS)
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    def put_page(self, path: str, html: str) -> None:
        self.answers[path] = page(html)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["HostileSite"]:
        """Listen until the end of the context; every connection ends with it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            path = head.split()[1].decode().partition("?")[0]
            self.hits[path] += 1
            await self.answers.get(path, NOT_FOUND)(writer)
        writer.close()
        self._open.discard(writer)
