"""What every contestant's process does: visit page after page until told to end, and say a line for each.

Contestants measure nothing of what is compared: who started them does, from the lines and from /proc. Nothing here
needs more than Python, since some contestants live in an environment of their own.
"""

import argparse
import asyncio
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

CAPTCHA_SELECTOR = "#captcha"


@dataclass(frozen=True, slots=True)
class Orders:
    """What one contestant is to do; `mode` tells its variants apart."""

    mode: str
    site: str
    first_visit: int
    concurrency: int
    pause_seconds: float
    executable: str
    recogniser: str

    @classmethod
    def parse(cls) -> "Orders":
        """Read them from the command line."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--mode", default="")
        parser.add_argument("--site", required=True)
        parser.add_argument("--first-visit", type=int, default=0)
        parser.add_argument("--concurrency", type=int, default=4)
        parser.add_argument("--pause-seconds", type=float, default=0.0)
        parser.add_argument("--executable", default="")
        parser.add_argument("--recogniser", default="")
        return cls(**vars(parser.parse_args()))


class Journal:
    """Numbers the visits, says a line for each, and knows when to end (SIGTERM)."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._numbers = itertools.count(orders.first_visit)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: self._ending.set())
        self._say({"started": os.getpid()})

    @property
    def is_ending(self) -> bool:
        """Whether no further page is to be opened."""
        return self._ending.is_set()

    def visits(self) -> Iterator[tuple[int, str]]:
        """Return numbers and URLs until the end; any number of loops may draw from it."""
        while not self.is_ending:
            with self._lock:
                visit = next(self._numbers)
            yield visit, f"{self._orders.site}/page/{visit}"

    def note(self, visit: int, started_seconds: float, text: str = "", error: str = "") -> None:
        """Say that a visit has ended."""
        now_seconds = time.monotonic()
        milliseconds = round(1000 * (now_seconds - started_seconds), 2)
        self._say({"at": now_seconds, "visit": visit, "milliseconds": milliseconds, "text": text, "error": error[:300]})

    def _say(self, line: dict[str, object]) -> None:
        with self._lock:
            os.write(1, json.dumps(line).encode() + b"\n")


async def keep_visiting(orders: Orders, journal: Journal, solve: Callable[[str], Awaitable[str]]) -> None:
    """Solve pages in as many loops at once as ordered; a page that fails is noted and the next one follows."""

    async def loop() -> None:
        for visit, url in journal.visits():
            started_seconds = time.monotonic()
            try:
                journal.note(visit, started_seconds, await solve(url))
            except Exception as error:  # noqa: BLE001 - whatever went wrong is reported
                journal.note(visit, started_seconds, error=str(error) or type(error).__name__)
            if orders.pause_seconds:
                await asyncio.sleep(orders.pause_seconds)

    await asyncio.gather(*(loop() for _ in range(orders.concurrency)))
