"""Finds out whether a Redis holds an installation already, and empties it."""

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import API_KEYS, COUNTERS, NAMESPACE, RESTORING, PartitionKeys
from captchad.domain.identifier import PARTITIONS_LIMIT

SCAN_COUNT = 1000


async def is_empty(broker: Broker) -> bool:
    """Whether Redis has no task, key or total of an installation; what a broken-off restore left counts as nothing."""
    all_keys = [PartitionKeys(partition) for partition in range(PARTITIONS_LIMIT)]
    telling = [name for keys in all_keys for name in (keys.recent, keys.dead, keys.counters)]
    async with broker.guard():
        if await broker.client.exists(RESTORING):
            return True
        return not await broker.client.exists(API_KEYS, COUNTERS, *telling)


async def empty(broker: Broker) -> int:
    """Delete everything of the installation, which needs the right to SCAN; return how many keys there were."""
    deleted, cursor = 0, 0
    while True:
        async with broker.guard():
            cursor, names = await broker.client.scan(cursor, match=f"{NAMESPACE}:{{*", count=SCAN_COUNT)
            kept = [name for name in names if name.decode() != RESTORING]
            deleted += await broker.client.delete(*kept) if kept else 0
        if cursor == 0:
            return deleted
