"""Says what pending tasks wait for: their retry, or their target's limits."""

from collections import defaultdict
from collections.abc import Sequence

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import PartitionKeys, TargetKeys
from captchad.domain.task import WaitingFor, WaitReason

CLOSED = b"closed"
_REASONS = {
    b"retry": WaitReason.RETRY,
    b"rate": WaitReason.TARGET_LIMIT,
    b"concurrency": WaitReason.TARGET_LIMIT,
    CLOSED: WaitReason.TARGET_CLOSED,
}
PAUSED = WaitingFor(WaitReason.PAUSED, None)


async def read_waits(broker: Broker, tasks: Sequence[tuple[PartitionKeys, str]]) -> dict[str, WaitingFor]:
    """Return what each of these tasks waits for; one that is queued by now has no entry."""
    by_partition: defaultdict[PartitionKeys, list[str]] = defaultdict(list)
    for keys, task_id in tasks:
        by_partition[keys].append(task_id)
    found: dict[str, WaitingFor] = {}
    closed: dict[str, str] = {}
    for keys, task_ids in by_partition.items():
        answers = await broker.run_script("waiting", keys, task_ids)
        for task_id, (reason, until_ms, target) in zip(task_ids, answers, strict=True):
            if reason:
                found[task_id] = WaitingFor(_REASONS[reason], int(until_ms) if until_ms >= 0 else None)
            if reason == CLOSED:
                closed[task_id] = target.decode()
    paused = await _find_paused(broker, sorted(set(closed.values())))
    return found | {task_id: PAUSED for task_id, target in closed.items() if target in paused}


async def _find_paused(broker: Broker, targets: Sequence[str]) -> set[str]:
    """Return those of the targets that an operator has paused."""
    if not targets:
        return set()
    async with broker.guard():
        pipeline = broker.client.pipeline(transaction=False)
        for target in targets:
            pipeline.hexists(TargetKeys(target).narrowing, "paused_ms")
        answers = await pipeline.execute()
    return {target for target, is_paused in zip(targets, answers, strict=True) if is_paused}
