"""Counts the turns of the event loop: what does not let it turn holds everybody up."""

import asyncio
import contextlib
from collections.abc import Iterator


class Turns:
    """How often the loop has turned."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.get_running_loop().call_soon(self._note)

    def _note(self) -> None:
        self.count += 1
        self._next = asyncio.get_running_loop().call_soon(self._note)

    def stop(self) -> None:
        self._next.cancel()


@contextlib.contextmanager
def count_turns() -> Iterator[Turns]:
    turns = Turns()
    try:
        yield turns
    finally:
        turns.stop()
