"""What the supervision can start, watch and stop."""

from typing import Protocol


class Child(Protocol):
    """One supervised process; `start` may be called again after it has ended."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def start(self) -> None:
        """Start it; a CaptchadError says why that can't be."""
        ...

    async def wait_until_ready(self) -> None:
        """Return once it can do its work; the caller cancels this when the process ends first."""
        ...

    async def wait(self) -> int:
        """Return its exit code once it has ended, also when it was stopped."""
        ...

    async def stop(self) -> None:
        """Ask it to end, and return once it has; nothing happens where it does not run."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def reload(self) -> None:
        """Ask it to read its configuration again."""
        ...

    def read_last_lines(self, count: int) -> list[str]:
        """Return what it said last."""
        ...
