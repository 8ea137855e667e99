"""One round of one contestant: a process of its own, warmed up, then measured from outside."""

import asyncio
import json
import os
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from captchad.runtime.tethered_process import TetheredProcess
from tests.benchmarks.browser.process_figures import MemoryFigures, list_tree, read_cpu_seconds, read_memory

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120.0
PAGE_SECONDS = 120.0
STOP_SECONDS = 15.0
MEMORY_SAMPLES = 3
MEMORY_PAUSE_SECONDS = 0.5
LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a round goes: `warm_up_pages` are not counted, then `seconds` of pages are, but no fewer than two."""

    concurrency: int
    warm_up_pages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """What one round gave."""

    pages: int
    pages_per_second: float
    cpu_seconds_per_page: float
    pss_bytes: int
    rss_bytes: int
    processes: int
    page_milliseconds: float
    right_share: float
    failed: int
    first_failure: str

    def to_json(self) -> dict[str, object]:
        """Return the figures as they are."""
        return asdict(self)


class ContestantFailed(Exception):
    """The contestant did not start, or got stuck; the message has the end of what it said."""


class RunningContestant:
    """A contestant's process under a tether, which is a subreaper: nothing it starts gets out of the account."""

    def __init__(self, command: Sequence[str], site: str, first_visit: int, concurrency: int) -> None:
        arguments = ("--site", site, "--first-visit", str(first_visit), "--concurrency", str(concurrency))
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self._command = (*command, *arguments)
        self._environment = environment
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._process: TetheredProcess | None = None
        self._top_pid = 0

    async def start(self, *options: str) -> None:
        """Bring it up; it opens pages from now on."""
        self._process = TetheredProcess((*self._command, *options), self._environment, asyncio.subprocess.PIPE)
        await self._process.start()
        line = await self._read_line(START_SECONDS)
        self._top_pid = psutil.Process(int(str(line["started"]))).ppid()

    async def read_page(self) -> dict[str, object]:
        """Wait for the next page it has done with."""
        return await self._read_line(PAGE_SECONDS)

    def list_tree(self) -> list[psutil.Process]:
        """Return all its processes."""
        return list_tree(self._top_pid)

    async def stop(self) -> None:
        """End it, by force where it does not by itself."""
        if self._process is None:
            return
        self._process.terminate()
        reading = self._drain_output()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.gather(self._process.wait(), reading)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _drain_output(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while await self._process.stdout.readline():
            pass

    async def _read_line(self, timeout_seconds: float) -> dict[str, object]:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_seconds):
                while line := await self._process.stdout.readline():
                    if line.startswith(b"{") and (found := _parse(line)) is not None:
                        return found
                    self._log.append(line.decode(errors="replace").rstrip())
        except TimeoutError:
            raise ContestantFailed(f"nothing for {timeout_seconds:g} s: {' | '.join(self._log)}") from None
        raise ContestantFailed(f"it has ended: {' | '.join(self._log)}")


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if "at" in found or "started" in found else None


async def measure_round(contestant: RunningContestant, schedule: Schedule, texts: Sequence[str]) -> RoundFigures:
    """Warm up, count the pages of some seconds, then look at the memory while pages still go on."""
    await contestant.start()
    try:
        for _ in range(schedule.warm_up_pages):
            begin = await contestant.read_page()
        cpu_before, begun = read_cpu_seconds(contestant.list_tree()), time.monotonic()
        pages = [await contestant.read_page(), await contestant.read_page()]
        while time.monotonic() - begun < schedule.seconds:
            pages.append(await contestant.read_page())
        cpu_seconds = read_cpu_seconds(contestant.list_tree()) - cpu_before
        memory = await watch_memory(contestant)
    finally:
        await contestant.stop()
    seconds = float(str(pages[-1]["at"])) - float(str(begin["at"]))
    return summarise(pages, seconds, cpu_seconds, memory, texts)


async def measure_alone(
    contestant: RunningContestant, pages: int, pause_seconds: float, warm_up_pages: int
) -> list[float]:
    """Return the milliseconds of pages that come one at a time, with a pause before each."""
    await contestant.start("--pause-seconds", str(pause_seconds))
    try:
        for _ in range(warm_up_pages):
            await contestant.read_page()
        found = [await contestant.read_page() for _ in range(pages)]
    finally:
        await contestant.stop()
    return [float(str(page["milliseconds"])) for page in found if not page["error"]]


async def watch_memory(contestant: RunningContestant) -> MemoryFigures:
    """Return the median of a few samples, for which pages go on unmeasured: reading shares takes time."""
    samples = []
    for _ in range(MEMORY_SAMPLES):
        await asyncio.sleep(MEMORY_PAUSE_SECONDS)
        samples.append(read_memory(contestant.list_tree()))
    return sorted(samples, key=lambda sample: sample.pss_bytes)[len(samples) // 2]


def summarise(
    pages: Sequence[dict[str, object]],
    seconds: float,
    cpu_seconds: float,
    memory: MemoryFigures,
    texts: Sequence[str],
) -> RoundFigures:
    """Return a round's figures: a page that failed counts for nothing but as failed."""
    done = [page for page in pages if not page["error"]]
    failures = [str(page["error"]) for page in pages if page["error"]]
    right = sum(page["text"] == texts[int(str(page["visit"])) % len(texts)] for page in done)
    count = max(1, len(done))
    return RoundFigures(
        pages=len(done),
        pages_per_second=round(len(done) / seconds, 3),
        cpu_seconds_per_page=round(cpu_seconds / count, 4),
        pss_bytes=memory.pss_bytes,
        rss_bytes=memory.rss_bytes,
        processes=memory.processes,
        page_milliseconds=round(statistics.median(float(str(page["milliseconds"])) for page in pages), 1),
        right_share=round(right / count, 3),
        failed=len(failures),
        first_failure=failures[0] if failures else "",
    )
