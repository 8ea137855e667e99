"""The room that the bodies of all requests under way share: each alone is bounded, thousands of them are not."""

from collections.abc import Iterator
from contextlib import contextmanager

from captchad.domain.errors import Overloaded
from captchad.web.bodies import SMALL_BODY_BYTES

MEBIBYTE = 1 << 20
ROOM_BYTES = 256 * MEBIBYTE


class BodyPlace:
    """What one body has of the room."""

    def __init__(self, room: "BodyRoom") -> None:
        self._room = room
        self.held_bytes = 0

    def grow(self, length: int) -> None:
        """Hold a body that has become so long; Overloaded where there is no room for it.

        What a small body takes is not counted, so that small ones are served also while large ones fill the room.
        """
        more = max(0, length - SMALL_BODY_BYTES) - self.held_bytes
        self._room.take(more)
        self.held_bytes += more


class BodyRoom:
    """Counts what bodies take, from their first byte until their requests are answered."""

    def __init__(self, limit_bytes: int = ROOM_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._taken_bytes = 0

    @contextmanager
    def enter(self) -> Iterator[BodyPlace]:
        """Give one body a place, and free it in the end."""
        place = BodyPlace(self)
        try:
            yield place
        finally:
            self._taken_bytes -= place.held_bytes

    def take(self, size_bytes: int) -> None:
        """Take some of the room; Overloaded where it is not there."""
        if self._taken_bytes + size_bytes > self._limit_bytes:
            limit = f"{self._limit_bytes // MEBIBYTE} MiB"
            raise Overloaded(f"the bodies of all requests under way have more than {limit}; try again later")
        self._taken_bytes += size_bytes
