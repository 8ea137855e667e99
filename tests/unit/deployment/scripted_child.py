"""A child whose lives follow a script, and a clock that only tests move."""

import asyncio

from captchad.domain.errors import CaptchadError, DependencyMissing
from captchad.runtime.clock import Clock


class SteppedClock(Clock):
    """Time passes only by sleeping, and then at once."""

    def __init__(self) -> None:
        self.now_seconds = 0.0
        self.slept: list[float] = []

    def monotonic_seconds(self) -> float:
        return self.now_seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_seconds += seconds
        await asyncio.sleep(0)


class ScriptedChild:
    """Each life is one step: "refuse", "lack", "crash" (never ready), "serve" (ready until stopped or killed)."""

    def __init__(self, name: str, lives: list[str], diary: list[str] | None = None) -> None:
        self.name = name
        self.diary = diary if diary is not None else []
        self._lives = lives
        self._life = ""
        self._over = asyncio.Event()
        self._code = 0

    async def start(self) -> None:
        self._life = self._lives.pop(0) if self._lives else "serve"
        self._over = asyncio.Event()
        self.diary.append(f"start {self.name}")
        if self._life == "refuse":
            raise CaptchadError("refused to start")
        if self._life == "lack":
            raise DependencyMissing("something is not installed")
        if self._life == "crash":
            self.end(1)

    async def wait_until_ready(self) -> None:
        if self._life != "serve":
            await asyncio.Event().wait()

    async def wait(self) -> int:
        await self._over.wait()
        return self._code

    async def stop(self) -> None:
        self.diary.append(f"stop {self.name}")
        self.end(0)

    def kill(self) -> None:
        self.diary.append(f"kill {self.name}")
        self.end(137)

    def reload(self) -> None:
        self.diary.append(f"reload {self.name}")

    def read_last_words(self, count: int) -> list[str]:
        return ["captchad: the last words"][:count]

    def end(self, code: int) -> None:
        """End the present life."""
        self._code = code
        self._over.set()
