"""The interface of a supervised process."""

from typing import Protocol


class Child(Protocol):
    """One supervised process; `start` may be called again after it has ended."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    async def start(self) -> None:
        """Start it; CaptchadError says why it can't be started."""
        ...

    async def wait_until_ready(self) -> None:
        """Return once it can do its work; the caller cancels this when the process ends first."""
        ...

    async def wait(self) -> int:
        """Return its exit code once it has ended or was stopped."""
        ...

    async def stop(self) -> None:
        """Ask it to end, and return once it has; does nothing where it does not run."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def reload(self) -> None:
        """Ask it to reload its configuration."""
        ...

    def read_last_words(self, count: int) -> list[str]:
        """Return the last lines of what it wrote about its end."""
        ...
