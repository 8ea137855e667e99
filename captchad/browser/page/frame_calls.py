"""Asks many frames of a page something, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame

FRAME_SECONDS = 1.5
FRAMES_LIMIT = 40
FRAMES_AT_ONCE = 8
"""So that a page of many frames does not keep the driver, which serves other pages too, from all else."""

Answer = TypeVar("Answer")


async def call_frames(
    frames: Iterable[Frame], ask: Callable[[Frame], Awaitable[Answer]], limit_seconds: float = FRAME_SECONDS
) -> list[Answer | None]:
    """Return each frame's answer, None of one that is gone, on its way to another document, or too slow."""
    room = asyncio.Semaphore(FRAMES_AT_ONCE)

    async def ask_one(frame: Frame) -> Answer | None:
        try:
            async with asyncio.timeout(limit_seconds), room:
                return await ask(frame)
        except (TimeoutError, PlaywrightError):
            return None

    return await asyncio.gather(*(ask_one(frame) for frame in frames))
