"""One browser context as the proxy knows it: served while a visit is under way, cut off before and after."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


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
        self._release = release
        self._is_released = False
        self._under_way: set[asyncio.Task[Any]] = set()

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
        self._under_way.add(task)
        try:
            yield
        finally:
            self._under_way.discard(task)

    def _end(self) -> set["asyncio.Task[Any]"]:
        self.is_open = False
        ending = set(self._under_way)
        for task in ending:
            task.cancel()
        return ending
