"""Says what pending tasks wait for: their retry, or their target's limits."""

from collections import defaultdict
from collections.abc import Sequence

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import PartitionKeys
from captchad.domain.task import WaitingFor, WaitReason

_REASONS = {
    b"retry": WaitReason.RETRY,
    b"rate": WaitReason.TARGET_LIMIT,
    b"concurrency": WaitReason.TARGET_LIMIT,
    b"closed": WaitReason.TARGET_CLOSED,
}


async def read_waits(broker: Broker, tasks: Sequence[tuple[PartitionKeys, str]]) -> dict[str, WaitingFor]:
    """Return what each of these tasks waits for; one that is queued by now has no entry."""
    by_partition: defaultdict[PartitionKeys, list[str]] = defaultdict(list)
    for keys, task_id in tasks:
        by_partition[keys].append(task_id)
    found: dict[str, WaitingFor] = {}
    for keys, task_ids in by_partition.items():
        answers = await broker.run_script("waiting", keys, task_ids)
        for task_id, (reason, until_ms) in zip(task_ids, answers, strict=True):
            if reason:
                found[task_id] = WaitingFor(_REASONS[reason], int(until_ms) if until_ms >= 0 else None)
    return found
