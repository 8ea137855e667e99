"""Asks a role over HTTP whether it is ready."""

import asyncio

from captchad.domain.ports import show_host
from captchad.runtime.clock import Clock

POLL_SECONDS = 0.05
ANSWER_TIMEOUT_SECONDS = 2.0


async def is_ready(host: str, port: int) -> bool:
    """Say whether /readyz answers 200."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                head = f"GET /readyz HTTP/1.1\r\nHost: {show_host(host)}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.split()[1:2] == [b"200"]


async def wait_until_ready(host: str, port: int, clock: Clock) -> None:
    """Return once /readyz answers 200, however long that takes."""
    while not await is_ready(host, port):
        await clock.sleep(POLL_SECONDS)
