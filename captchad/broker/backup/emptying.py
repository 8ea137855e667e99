"""Finds out whether a Redis holds an installation already, and empties it."""

from captchad.broker.api_keys import FIRST_KEY, ApiKeys
from captchad.broker.connection import Broker
from captchad.broker.redis_keys import NAMESPACE, RESTORING, PartitionKeys
from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.identifier import PARTITIONS_LIMIT

SCAN_COUNT = 1000


async def is_empty(broker: Broker) -> bool:
    """Whether Redis has no task, key or total of an installation.

    The key that a deploy makes by itself counts as nothing, and so does what a broken-off restore has left.
    """
    all_keys = [PartitionKeys(partition) for partition in range(PARTITIONS_LIMIT)]
    telling = [name for keys in all_keys for name in (keys.recent, keys.dead, keys.counters)]
    async with broker.guard():
        if await broker.client.exists(RESTORING):
            return True
        if await broker.client.exists(*telling):
            return False
    keys = await ApiKeys(broker).list_all()
    return all(_is_made_by_deploy(key) for key in keys) and len(keys) <= 1


def _is_made_by_deploy(key: ApiKey) -> bool:
    return key.name == FIRST_KEY and key.scopes == frozenset(Scope)


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
