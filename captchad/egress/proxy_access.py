"""One browser context as the proxy knows it: served while a visit is under way, cut off before and after."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from captchad.domain.target import Origin


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """How a browser reaches the proxy; without name and password where the port is one context's alone."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)


class ProxyAccess:
    """An address of the proxy that one context alone has; it is refused everything until it is opened.

    A request that outlives its page (a keepalive fetch, a beacon, a download) comes this way too, however late.
    """

    def __init__(self, address: ProxyAddress, release: Callable[[], object]) -> None:
        self.address = address
        self.is_open = False
        self.refused = 0
        # The host of the target that is visited: its client certificate, and no other, may be shown.
        self.identity = ""
        self._release = release
        self._is_released = False
        # With each exchange, the origin that it has been let through to.
        self._under_way: dict[asyncio.Task[Any], Origin | None] = {}
        self._may_reach: Callable[[Origin], bool] = _reach_any

    def open(self) -> None:
        """Serve what is asked for from now on."""
        self.is_open = not self._is_released

    async def cut(self) -> None:
        """Refuse everything from now on, and end what is under way; nothing of it arrives once this returns."""
        ending = self._end()
        if ending:
            await asyncio.wait(ending)

    def close(self) -> None:
        """Cut the context off for good; the proxy may give its address to another."""
        self._end()
        if not self._is_released:
            self._is_released = True
            self._release()

    @contextlib.contextmanager
    def exchange(self) -> Iterator[None]:
        """Let a cut end the present task meanwhile."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way[task] = None
        try:
            yield
        finally:
            del self._under_way[task]

    def reach(self, origin: Origin) -> bool:
        """Whether the present exchange may go on to an origin; it is ended should that be taken back."""
        if not self._may_reach(origin):
            return False
        task = asyncio.current_task()
        if task in self._under_way:
            self._under_way[task] = origin
        return True

    async def confine(self, may_reach: Callable[[Origin], bool]) -> None:
        """Let it reach some origins alone from now on, and end what is under way to others before this returns."""
        self._may_reach = may_reach
        ending = {task for task, origin in self._under_way.items() if origin is not None and not may_reach(origin)}
        await _cancel(ending)

    def _end(self) -> set["asyncio.Task[Any]"]:
        self.is_open, self.identity = False, ""
        ending = set(self._under_way)
        for task in ending:
            task.cancel()
        return ending


async def _cancel(ending: set["asyncio.Task[Any]"]) -> None:
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending)


def _reach_any(_: Origin) -> bool:
    return True
