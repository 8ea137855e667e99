"""Holds the counters of a partition against its records, once every task has ended."""

from collections import Counter
from typing import Any

from captchad.broker.redis_keys import PartitionKeys

FINAL = ("completed", "failed", "cancelled")
KEYS = PartitionKeys(0)


async def find_errors(client: Any) -> list[str]:
    """Return what doesn't agree; nothing of a record may have expired yet."""
    statuses = Counter(
        [(await client.hget(key, "status")).decode() async for key in client.scan_iter(KEYS.task("*"), count=1000)]
    )
    counters = {name.decode(): int(value) for name, value in (await client.hgetall(KEYS.counters)).items()}
    errors = [
        f"{counters.get(name, 0)} counted as {name}, {statuses[name]} records are"
        for name in FINAL
        if counters.get(name, 0) != statuses[name]
    ]
    if counters.get("submitted", 0) != statuses.total():
        errors.append(f"{counters.get('submitted', 0)} counted as submitted, {statuses.total()} records")
    errors += [f"{count} records are {status}" for status, count in statuses.items() if status not in FINAL]
    passing = ("processing", "open:", "queued_bytes")
    errors += [f"{name} is {value}" for name, value in counters.items() if name.startswith(passing) and value]
    for stream in KEYS.streams:
        errors += [f"{stream} has {length} entries"] if (length := await client.xlen(stream)) else []
    for zset in (KEYS.open, KEYS.delayed):
        errors += [f"{zset} has {size} tasks"] if (size := await client.zcard(zset)) else []
    return errors
