"""Finds out whether a Redis holds an installation already, and empties it."""

from captchad.broker.api_keys import FIRST_KEY, ApiKeys
from captchad.broker.backup.restore_mark import read_mark_ms
from captchad.broker.connection import Broker
from captchad.broker.redis_keys import EPOCH, NAMESPACE, NODES, RESTORE_LOCK, RESTORING, PartitionKeys
from captchad.domain.api_key import ApiKey, Scope
from captchad.domain.identifier import PARTITIONS_LIMIT

SCAN_COUNT = 1000


async def is_empty(broker: Broker) -> bool:
    """Whether Redis has no task, key or total of an installation.

    The key that a deploy makes by itself counts as nothing, and so does what a broken-off restore has left,
    as long as nobody has used it since.
    """
    mark_ms = await read_mark_ms(broker)
    if mark_ms is not None:
        return not await _is_used_since(broker, mark_ms)
    all_keys = [PartitionKeys(partition) for partition in range(PARTITIONS_LIMIT)]
    telling = [name for keys in all_keys for name in (keys.recent, keys.dead, keys.counters)]
    async with broker.guard():
        if await broker.client.exists(*telling):
            return False
    keys = await ApiKeys(broker).list_all()
    return all(_is_made_by_deploy(key) for key in keys) and len(keys) <= 1


async def _is_used_since(broker: Broker, begun_ms: int) -> bool:
    """Whether roles have run or tasks or keys were added since a restore was begun."""
    async with broker.guard():
        # No backup has them: whoever wrote them came later.
        if await broker.client.exists(EPOCH, NODES):
            return True
        pipeline = broker.client.pipeline(transaction=False)
        for keys in broker.partitions:
            pipeline.zcount(keys.recent, f"({begun_ms}", "+inf")
        if any(await pipeline.execute()):
            return True
    return any(key.created_ms > begun_ms for key in await ApiKeys(broker).list_all())


def _is_made_by_deploy(key: ApiKey) -> bool:
    return key.name == FIRST_KEY and key.scopes == frozenset(Scope)


async def empty(broker: Broker) -> int:
    """Delete everything of the installation, which needs the right to SCAN; return how many keys there were."""
    deleted, cursor = 0, 0
    while True:
        async with broker.guard():
            cursor, names = await broker.client.scan(cursor, match=f"{NAMESPACE}:{{*", count=SCAN_COUNT)
            superfluous = [name for name in names if name.decode() not in (RESTORING, RESTORE_LOCK)]
            deleted += await broker.client.delete(*superfluous) if superfluous else 0
        if cursor == 0:
            return deleted
