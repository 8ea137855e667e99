"""All that somebody other than the caller could read of an installation: Redis, files, figures, processes."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import Any, Self

import redis.asyncio as redis

from tests.processes import list_descendants
from tests.system.fleet import Fleet

PAGES = {
    "gateway": ("tasks?limit=200", "stats", "queue_status", "workers", "openapi.json"),
    "monitor": ("", "api/snapshot"),
}
EVERY_ROLE = ("metrics", "status/config", "health")


class Wiretap:
    """Everything that is sent to a Redis, by its own MONITOR, and what the gateway and the monitor stream meanwhile."""

    def __init__(self, port: int, password: str) -> None:
        self._port = port
        self._password = password
        self._heard: dict[str, bytearray] = {}
        self._listening: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"AUTH {self._password}\r\nMONITOR\r\n".encode())
        self._listening.append(asyncio.create_task(self._listen("MONITOR of Redis", reader, writer)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)

    def follow(self, fleet: Fleet, role: str) -> None:
        """Listen to the event stream of a role."""
        [port] = [one.port for one in fleet.roles if one.role == role]

        async def listen() -> None:
            async with fleet.client.get(f"http://127.0.0.1:{port}/events", timeout=None) as answer:
                async for piece in answer.content.iter_any():
                    self._heard.setdefault(f"/events of {role}", bytearray()).extend(piece)

        self._listening.append(asyncio.create_task(listen()))

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Yield what was heard so far."""
        for place, content in self._heard.items():
            yield place, bytes(content)

    async def _listen(self, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while piece := await reader.read(65_536):
                self._heard.setdefault(place, bytearray()).extend(piece)


async def read_redis(port: int, password: str) -> AsyncIterator[tuple[str, bytes]]:
    """Yield every key with its value as Redis would store it, which must not compress them."""
    client: Any = redis.Redis(port=port, password=password)
    async with client:
        async for key in client.scan_iter(count=1000):
            yield f"Redis key {key.decode()}", await client.dump(key) or b""
        yield "SLOWLOG of Redis", repr(await client.slowlog_get(1000)).encode()
        yield "CLIENT LIST of Redis", repr(await client.client_list()).encode()


def read_files(given: Collection[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield every file that anybody has written for this test, but those in which the secrets were given."""
    for path in Path(tempfile.gettempdir()).rglob("*"):
        # Browsers come and go meanwhile.
        with contextlib.suppress(OSError):
            if path not in given and path.is_file():
                yield str(path), path.read_bytes()


async def read_pages(fleet: Fleet) -> AsyncIterator[tuple[str, bytes]]:
    """Yield what every living role says of itself and of the fleet."""
    for role in fleet.roles:
        if role.process.poll() is not None:
            continue
        for page in (*EVERY_ROLE, *PAGES.get(role.role, ())):
            async with fleet.client.get(f"http://127.0.0.1:{role.port}/{page}") as answer:
                assert answer.status in {200, 503}, (role.role, page, await answer.text())
                yield f"/{page} of {role.role}", await answer.read()


def read_processes() -> Iterator[tuple[str, bytes]]:
    """Yield the environment and the command line of every process of the test."""
    for process in list_descendants():
        for name in ("environ", "cmdline"):
            # It may have ended meanwhile.
            with contextlib.suppress(OSError):
                yield f"{name} of {process.pid}", Path(f"/proc/{process.pid}/{name}").read_bytes()
