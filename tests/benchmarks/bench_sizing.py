"""What memory and processor time each role takes, as JSON: at rest one reading, with slots busy medians of all runs.

Run on a machine that is as idle as can be: `python -m tests.benchmarks.bench_sizing`. Memory is PSS: what processes
share is divided among them. A page is one of a local site with one picture, read by captchad's own engine.
"""

import asyncio
import json
import os
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.benchmarks.browser.process_figures import list_tree, read_cpu_seconds, read_memory
from tests.redis_server import RedisServer
from tests.system.fleet import Fleet

RUNS = 5
PAGES = int(os.environ.get("CAPTCHAD_SIZING_PAGES", "60"))
SLOTS = (1, 2, 4)
SETTLE_SECONDS = 5.0
MEBIBYTE = 1024**2
ROLES = ("gateway", "scheduler", "monitor")


@asynccontextmanager
async def run_roles(slots: int) -> AsyncIterator[Fleet]:
    """Run every role once, the worker with so many slots."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            settings = {"worker": {"max_workers_per_node": slots}}
            async with Fleet(Path(folder), server.url, settings=settings) as fleet:
                fleet.site.gate.set()
                await fleet.start_ready(*ROLES, "worker")
                yield fleet
        finally:
            server.kill()


def measure_memory(pid: int) -> float:
    """Return the MiB of a process with all below it."""
    return read_memory(list_tree(pid)).pss_bytes / MEBIBYTE


def measure_cpu(pid: int) -> float:
    """Return the processor seconds of a process with all below it."""
    return read_cpu_seconds(list_tree(pid))


async def measure_pages(fleet: Fleet, visits: list[str]) -> tuple[float, float]:
    """Return a page's processor seconds in the worker and its browser, and the most MiB they had meanwhile."""
    worker = next(role for role in fleet.roles if role.role == "worker").process.pid
    before = measure_cpu(worker)
    ended = asyncio.ensure_future(fleet.wait_final([await fleet.submit(visit) for visit in visits], 300.0))
    most = 0.0
    while not ended.done():
        await asyncio.wait([ended], timeout=0.5)
        most = max(most, await asyncio.to_thread(measure_memory, worker))
    states = [answer["status"] for answer in ended.result()]
    assert set(states) == {"completed"}, states
    return (measure_cpu(worker) - before) / len(visits), most


async def measure_slots(slots: int) -> dict[str, object]:
    """Measure a worker with so many slots, and every role at rest."""
    async with run_roles(slots) as fleet:
        await asyncio.sleep(SETTLE_SECONDS)
        idle = {role.role: round(measure_memory(role.process.pid)) for role in fleet.roles}
        await measure_pages(fleet, [f"first-{number}" for number in range(slots)])
        runs = [await measure_pages(fleet, [f"{run}-{number}" for number in range(PAGES)]) for run in range(RUNS)]
        return {
            "slots": slots,
            "idle_mib": idle,
            "worker_busy_mib": round(statistics.median(most for _, most in runs)),
            "worker_cpu_seconds_a_page": round(statistics.median(seconds for seconds, _ in runs), 3),
        }


async def measure_all() -> list[dict[str, object]]:
    """Measure a worker with each number of slots."""
    return [await measure_slots(slots) for slots in SLOTS]


def main() -> None:
    """Print all figures."""
    load = psutil.getloadavg()
    print(json.dumps({"load_before": load, "pages_a_run": PAGES, "workers": asyncio.run(measure_all())}, indent=2))


if __name__ == "__main__":
    main()
