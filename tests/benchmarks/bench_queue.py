"""What the protocol itself costs: tasks a second through submit, take and settle, beside a bare stream; as JSON.

Both loops do the same in one run, interleaved: put N entries, read them in hundreds, finish them in hundreds. The
bare loop keeps no records, no leases and no fences: it is the floor, not a rival.
Run: `python -m tests.benchmarks.bench_queue`.
"""

import json
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Settlement
from captchad.broker.dead_letter_limits import find_dead_letter_limits
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.identifier import make_task_id
from captchad.domain.recognition import CaptchaKind
from captchad.domain.task import TaskRequest, TaskResult
from tests.redis_server import RedisServer

TASKS = 10_000
BATCH = 100
RUNS = 5
RESULT = TaskResult("text", 0.5, CaptchaKind.TEXT, "none")


async def run_captchad(broker: Broker) -> None:
    """Put, take and settle every task."""
    store = TaskStore(broker, QueueLimits(TASKS, 10**9))
    request = TaskRequest("captcha.example", url="http://captcha.example/")
    for _ in range(TASKS // BATCH):
        await store.submit([NewTask(make_task_id(0), request) for _ in range(BATCH)])
    consumer = Consumer(broker, broker.partitions[0], "bench", "bench.1", find_dead_letter_limits(SchedulerSection()))
    while deliveries := await consumer.take(BATCH):
        await consumer.settle(
            [Settlement(delivery, AttemptOutcome.COMPLETED, result=RESULT) for delivery in deliveries]
        )


async def run_bare_stream(broker: Broker) -> None:
    """Put, read and delete the same number of entries."""
    client = broker.client
    await client.xgroup_create("bare", "workers", id="0", mkstream=True)
    for _ in range(TASKS // BATCH):
        pipeline = client.pipeline(transaction=False)
        for _ in range(BATCH):
            pipeline.xadd("bare", {"id": make_task_id(0)})
        await pipeline.execute()
    while found := await client.xreadgroup("workers", "bench", {"bare": ">"}, count=BATCH):
        ids = [entry_id for entry_id, _ in (found[b"bare"][0] if isinstance(found, dict) else found[0][1])]
        await client.xack("bare", "workers", *ids)
        await client.xdel("bare", *ids)


async def measure(run: Callable[[Broker], Awaitable[None]], broker: Broker) -> dict[str, float]:
    """Return tasks a second, and this process's CPU seconds for a thousand tasks."""
    await broker.client.flushall()
    cpu_before, started = _cpu_seconds(), time.monotonic()
    await run(broker)
    seconds, cpu = time.monotonic() - started, _cpu_seconds() - cpu_before
    return {"tasks_per_second": round(TASKS / seconds), "cpu_seconds_per_1000": round(1000 * cpu / TASKS, 4)}


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def main() -> None:
    """Print the medians of five interleaved runs and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        broker = Broker(RedisSection(), "bench", url_override=server.url)
        await broker.start()
        runs: dict[str, list[dict[str, float]]] = {"captchad": [], "bare_stream": []}
        for _ in range(RUNS):
            runs["captchad"].append(await measure(run_captchad, broker))
            runs["bare_stream"].append(await measure(run_bare_stream, broker))
        await broker.close()
        server.kill()
    medians = {
        name: {figure: statistics.median(run[figure] for run in found) for figure in found[0]}
        for name, found in runs.items()
    }
    ratio = medians["captchad"]["tasks_per_second"] / medians["bare_stream"]["tasks_per_second"]
    print(json.dumps(medians | {"captchad_of_bare_stream": round(ratio, 3)}, indent=2))


if __name__ == "__main__":
    uvloop.run(main())
