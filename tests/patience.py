"""How long tests wait: for a condition rather than for a guessed time, and until a starved machine would meet it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE_SECONDS = 300.0
"""Only a fault uses this up: what is waited for takes a second or two on a quiet machine."""

POLL_SECONDS = 0.02


async def until(condition: Callable[[], Awaitable[Any]], within_seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait for something that happens elsewhere; return what the condition returned."""
    async with asyncio.timeout(within_seconds):
        while not (found := await condition()):
            await asyncio.sleep(POLL_SECONDS)
        return found


async def until_true(condition: Callable[[], bool], within_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something that another task of this process does."""
    async with asyncio.timeout(within_seconds):
        while not condition():
            await asyncio.sleep(POLL_SECONDS)


def wait_until(condition: Callable[[], Any], what: str, within_seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait, outside an event loop, for something that another process does; return what the condition returned."""
    deadline = time.monotonic() + within_seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {within_seconds:g} s in vain: {what}"
        time.sleep(POLL_SECONDS)
    return found
