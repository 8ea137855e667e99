"""What the audit log costs a submit: two gateways, with and without it, take turns on one Redis; as JSON.

Run: `python -m tests.benchmarks.bench_audit`.
"""

import asyncio
import json
import statistics
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import psutil

from tests.redis_server import RedisServer
from tests.system.fleet import Fleet, RoleProcess

SUBMITS = 2000
CONCURRENCY = 16
RUNS = 9


async def submit_all(fleet: Fleet, gateway: RoleProcess) -> None:
    """Submit pages, so many at once."""
    url, left = f"http://127.0.0.1:{gateway.port}/submit_task", iter(range(SUBMITS))

    async def submit_some(session: aiohttp.ClientSession) -> None:
        for index in left:
            async with session.post(url, json={"url": fleet.site.url(str(index))}) as answer:
                assert answer.status == 202, await answer.text()

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(submit_some(session))


async def measure(fleet: Fleet, gateway: RoleProcess, redis: psutil.Process) -> dict[str, float]:
    """Return the milliseconds of CPU that a submit costs the gateway, and Redis."""
    processes = {"gateway": psutil.Process(gateway.process.pid), "redis": redis}
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    await submit_all(fleet, gateway)
    # What is written behind the answers counts too.
    await asyncio.sleep(1)
    return {name: 1000 * (sum(process.cpu_times()[:2]) - before[name]) / SUBMITS for name, process in processes.items()}


async def main() -> None:
    """Print the medians with and without a log, and the medians of the pairs' ratios."""
    with tempfile.TemporaryDirectory() as name:
        server = RedisServer(Path(name))
        server.start()
        try:
            print(json.dumps(await run(Path(name), server), indent=2))
        finally:
            server.kill()


async def run(folder: Path, server: RedisServer) -> dict[str, object]:
    """Return what the runs came to."""
    assert server.process is not None
    redis = psutil.Process(server.process.pid)
    found: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
    async with AsyncExitStack() as stack:
        fleets: dict[str, tuple[Fleet, RoleProcess]] = {}
        for name, limit in (("with", 100_000), ("without", 0)):
            (folder / name).mkdir()
            fleet = Fleet(folder / name, server.url, {"CAPTCHAD_SECURITY__AUDIT_LOG__LIMIT": str(limit)})
            await stack.enter_async_context(fleet)
            [gateway] = await fleet.start_ready("gateway")
            fleets[name] = (fleet, gateway)
        for turn in range(RUNS + 1):
            for name in sorted(fleets, reverse=turn % 2 == 1):
                fleet, gateway = fleets[name]
                figures = await measure(fleet, gateway, redis)
                if turn:
                    found[name].append(figures)
    answer: dict[str, object] = {}
    for part in ("gateway", "redis"):
        for name, runs in found.items():
            answer[f"{part}_cpu_ms_{name}"] = round(statistics.median(figures[part] for figures in runs), 3)
        ratios = [one[part] / other[part] for one, other in zip(found["with"], found["without"], strict=True)]
        answer[f"{part}_ratio"] = round(statistics.median(ratios), 3)
    return answer


if __name__ == "__main__":
    asyncio.run(main())
