"""Pages a second, memory and CPU of captchad's browser beside what people use, on the same pages in one run.

Each contestant is a process of its own that opens pages of a local site (see browser/site.py) until it is told to end;
speed, CPU and memory are measured from outside, over its whole tree of processes. Rounds are interleaved: one of each
contestant, then the next of each. All read the pictures with the same recogniser, or with none (`--recogniser none`).

    apt-get install chromium chromium-headless-shell chromium-driver redis-server
    python -m venv build/rivals
    build/rivals/bin/pip install 'crawlee[playwright]' selenium numpy onnxruntime pillow
    python -m tests.benchmarks.bench_browser --rivals-python build/rivals/bin/python --json build/browser.json

What is not installed is named as left out. Only on an otherwise idle machine do the figures mean anything.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.benchmarks.browser.contestants import CONTESTANTS, Field, choose
from tests.benchmarks.browser.rounds import (
    ROOT,
    ContestantFailed,
    RunningContestant,
    Schedule,
    measure_alone,
    measure_round,
)
from tests.benchmarks.browser.summary import compare_alone, judge_aims, take_medians, take_ratios

RIVALS_VARIABLE = "CAPTCHAD_BENCH_RIVALS"
VISITS_APART = 1_000_000
BYTES_PER_MEBIBYTE = 1_048_576
ALONE_PAUSE_SECONDS = 0.3
ALONE_WARM_UP_PAGES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How long everything goes on."""

    schedule: Schedule
    rounds: int
    alone_pages: int


QUICK = Plan(Schedule(concurrency=4, warm_up_pages=4, seconds=1.0), rounds=1, alone_pages=2)


@dataclass(slots=True)
class Tally:
    """What was measured so far."""

    rounds: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    alone_milliseconds: dict[str, list[float]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


class Competition:
    """All rounds, one after another; a contestant that fails is named with the reason, and the others go on."""

    def __init__(self, chosen: Field, plan: Plan, site: str, texts: list[str], progress: Progress) -> None:
        self._chosen, self._plan, self._site, self._texts = chosen, plan, site, texts
        self._progress = progress
        self._alone = [one.name for one in CONTESTANTS if one.measures_alone and one.name in chosen.commands]
        self._bar = progress.add_task("", total=plan.rounds * (len(chosen.commands) + len(self._alone)))
        self._first_visit = 0
        self.tally = Tally()

    async def run(self) -> None:
        """Have every contestant take its turn in every round."""
        for number in range(self._plan.rounds):
            for name in self._chosen.commands:
                await self._take_turn(name, f"round {number + 1}: {name}", is_alone=False)
            for name in self._alone:
                await self._take_turn(name, f"round {number + 1}: {name}, one page at a time", is_alone=True)

    async def _take_turn(self, name: str, wording: str, *, is_alone: bool) -> None:
        self._progress.update(self._bar, description=wording)
        try:
            if is_alone:
                await self._measure_alone(name)
            else:
                await self._measure_round(name)
        except ContestantFailed as error:
            self.tally.problems[name] = str(error)
        self._progress.advance(self._bar)

    async def _measure_round(self, name: str) -> None:
        contestant = self._enter(name, self._plan.schedule.concurrency)
        figures = await measure_round(contestant, self._plan.schedule, self._texts)
        self.tally.rounds.setdefault(name, []).append(figures.to_json())

    async def _measure_alone(self, name: str) -> None:
        contestant = self._enter(name, 1)
        found = await measure_alone(contestant, self._plan.alone_pages, ALONE_PAUSE_SECONDS, ALONE_WARM_UP_PAGES)
        self.tally.alone_milliseconds.setdefault(name, []).extend(found)

    def _enter(self, name: str, concurrency: int) -> RunningContestant:
        self._first_visit += VISITS_APART
        return RunningContestant(self._chosen.commands[name], self._site, self._first_visit, concurrency)


@asynccontextmanager
async def serve_site() -> AsyncIterator[tuple[str, list[str]]]:
    """Run the site in a process of its own; return its URL and the texts of its pictures."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.browser.site", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        said = json.loads(await process.stdout.readline())
        yield f"http://127.0.0.1:{said['port']}", said["texts"]
    finally:
        process.kill()
        await process.wait()


def summarise(tally: Tally, chosen: Field, plan: Plan, recogniser: str, load_before: float) -> dict[str, Any]:
    """Return everything as it goes into the file."""
    medians = take_medians(tally.rounds)
    ratios = take_ratios(medians)
    return {
        "machine": {"cores": psutil.cpu_count(), "load_before": round(load_before, 2)},
        "settings": {
            "rounds": plan.rounds,
            "seconds": plan.schedule.seconds,
            "concurrency": plan.schedule.concurrency,
            "recogniser": recogniser,
        },
        "contestants": medians,
        "ratios": ratios,
        "aims": judge_aims(ratios),
        "alone": compare_alone(tally.alone_milliseconds),
        "problems": tally.problems,
        "left_out": chosen.left_out,
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """Print the tables."""
    ratios = found["ratios"]
    headings = (
        "contestant",
        "pages/s",
        *(f"x {name}" for name in ratios),
        "CPU s a page",
        "PSS MiB",
        "right",
        "failed",
    )
    table = Table(*headings)
    for name, one in found["contestants"].items():
        multiples = (f"{ratios[baseline][name]:.2f}" for baseline in ratios)
        mebibytes = f"{one['pss_bytes'] / BYTES_PER_MEBIBYTE:.0f}"
        figures = (f"{one['cpu_seconds_per_page']:.3f}", mebibytes, f"{one['right_share']:.0%}", str(one["failed"]))
        table.add_row(name, f"{one['pages_per_second']:.2f}", *multiples, *figures)
    console.print(table)
    for aim in found["aims"]:
        verdict = {True: "met", False: "NOT met", None: "not measured"}[aim["met"]]
        console.print(f"{aim['contestant']} of {aim['of']}: {aim['found']} (wanted {aim['wanted']}): {verdict}")
    console.print(f"one page at a time: {found['alone']}")
    for name, problem in found["problems"].items():
        console.print(f"{name} failed: {problem}", style="red", markup=False)
    for name, reason in found["left_out"].items():
        console.print(f"{name} left out: {reason}", markup=False)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="measured in each round, after warming up")
    parser.add_argument("--concurrency", type=int, default=4, help="pages at once")
    parser.add_argument("--warm-up", type=int, default=12, metavar="PAGES", help="pages before a round counts")
    parser.add_argument("--alone-pages", type=int, default=20, help="pages a round that come one at a time")
    parser.add_argument("--recogniser", choices=("captchad", "none"), default="captchad", help="the same for all")
    parser.add_argument("--only", action="append", default=[], choices=[one.name for one in CONTESTANTS])
    parser.add_argument("--rivals-python", default=os.environ.get(RIVALS_VARIABLE), metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="see in under a minute that it works; figures mean little")
    return parser.parse_args()


def make_plan(arguments: argparse.Namespace) -> Plan:
    """Return what the command line asks for."""
    if arguments.quick:
        return replace(QUICK, schedule=replace(QUICK.schedule, concurrency=arguments.concurrency))
    schedule = Schedule(arguments.concurrency, arguments.warm_up, arguments.seconds)
    return Plan(schedule, arguments.rounds, arguments.alone_pages)


async def main() -> None:
    """Run the competition and show what came of it."""
    arguments, console = parse_arguments(), Console()
    plan, load_before = make_plan(arguments), psutil.getloadavg()[0]
    chosen = choose(arguments.only, arguments.rivals_python, arguments.recogniser, is_quick=arguments.quick)
    async with serve_site() as (site, texts):
        with Progress(console=console) as progress:
            competition = Competition(chosen, plan, site, texts, progress)
            await competition.run()
    found = summarise(competition.tally, chosen, plan, arguments.recogniser, load_before)
    show(console, found)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
