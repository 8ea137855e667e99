"""How soon the command line and the roles are there, and what idle roles cost; medians as JSON.

Run on an otherwise idle machine: `python -m tests.benchmarks.bench_start`.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, RoleProcess, list_tree

RUNS = 5
IDLE_SECONDS = 20.0
SETTLE_SECONDS = 5.0
ROLES = ("gateway", "scheduler", "monitor")


def measure_help_seconds() -> float:
    """Return the seconds `captchad --help` takes."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "captchad", "--help"], check=True, capture_output=True)
    return time.monotonic() - started


async def measure_ready_seconds(fleet: Fleet, role: str) -> float:
    """Return the seconds from a role's start until /readyz says so."""
    started = time.monotonic()
    process = fleet.start(role)
    await fleet.wait_ready(process)
    seconds = time.monotonic() - started
    process.kill()
    return seconds


def cpu_seconds(role: RoleProcess) -> float:
    """Return the processor time of a role and everything under it."""
    return sum(sum(member.cpu_times()[:2]) for member in list_tree(role.process))


async def measure_idle_percent(fleet: Fleet) -> dict[str, float]:
    """Return each role's share of one core while nothing is asked of it."""
    roles = await fleet.start_ready(*ROLES, "worker")
    await asyncio.sleep(SETTLE_SECONDS)
    before = {role.role: cpu_seconds(role) for role in roles}
    await asyncio.sleep(IDLE_SECONDS)
    return {role.role: round(100 * (cpu_seconds(role) - before[role.role]) / IDLE_SECONDS, 2) for role in roles}


def median(measure: Callable[[], float]) -> float:
    """Return the median of five runs."""
    return round(statistics.median(measure() for _ in range(RUNS)), 3)


async def measure_fleet(folder: Path) -> dict[str, object]:
    """Measure everything that needs a Redis."""
    server = RedisServer(folder)
    server.start()
    try:
        async with Fleet(folder, server.url) as fleet:
            ready = {
                role: round(statistics.median([await measure_ready_seconds(fleet, role) for _ in range(RUNS)]), 3)
                for role in ROLES
            }
            return {"ready_seconds": ready, "idle_percent_of_a_core": await measure_idle_percent(fleet)}
    finally:
        server.kill()


def main() -> None:
    """Print all figures."""
    figures: dict[str, object] = {"load_before": psutil.getloadavg(), "help_seconds": median(measure_help_seconds)}
    with tempfile.TemporaryDirectory() as folder:
        figures |= asyncio.run(measure_fleet(Path(folder)))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
