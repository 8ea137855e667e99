"""Calls many frames of a page, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame

# A frame that hangs must not keep the others from being read.
FRAME_SECONDS = 1.5
FRAMES_LIMIT = 40
FRAMES_AT_ONCE = 8
"""Bounded, so that a page of many frames leaves the driver free to serve other pages."""

Answer = TypeVar("Answer")


async def call_frames(
    frames: Iterable[Frame], ask: Callable[[Frame], Awaitable[Answer]], limit_seconds: float = FRAME_SECONDS
) -> list[Answer | None]:
    """Return each frame's answer; None for one that is gone, navigating or too slow."""
    room = asyncio.Semaphore(FRAMES_AT_ONCE)

    async def ask_one(frame: Frame) -> Answer | None:
        try:
            # The timeout comes first: waiting for room counts too.
            async with asyncio.timeout(limit_seconds), room:
                return await ask(frame)
        except (TimeoutError, PlaywrightError):
            return None

    return await asyncio.gather(*(ask_one(frame) for frame in frames))
