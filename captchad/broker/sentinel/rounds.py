"""One round of questions for all who want an answer at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from captchad.runtime.spawn import TaskSet

Answer = TypeVar("Answer")


class SharedRounds(Generic[Answer]):
    """Runs `ask` for every `join`, one round at a time; each round begins after the calls that it answers."""

    def __init__(self, ask: Callable[[], Awaitable[Answer]], work: TaskSet) -> None:
        self._ask = ask
        self._work = work
        self._running: asyncio.Task[Answer] | None = None
        self._next: asyncio.Task[Answer] | None = None

    async def join(self) -> Answer:
        """Return the answer of a round that begins after this call."""
        if self._next is None:
            self._next = self._work.spawn(self._ask_after(self._running), "round")
        # Whoever gives up must not take the answer from the others.
        return await asyncio.shield(self._next)

    async def _ask_after(self, running: "asyncio.Task[Answer] | None") -> Answer:
        if running is not None:
            await asyncio.wait({running})
        self._running, self._next = self._next, None
        return await self._ask()
