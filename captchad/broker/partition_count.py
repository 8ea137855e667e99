"""How many partitions a fleet works with, from what its roles have left in Redis."""

from captchad.broker.connection import Broker
from captchad.broker.redis_keys import PartitionKeys
from captchad.domain.identifier import PARTITIONS_LIMIT


async def count_partitions(broker: Broker) -> int:
    """Return the number of partitions that workers or schedulers have been at; 0 where none has been there yet.

    Their consumer groups tell; a queue alone may be one of few that have had a task so far.
    """
    queues = [
        (partition, stream) for partition in range(PARTITIONS_LIMIT) for stream in PartitionKeys(partition).streams
    ]
    async with broker.guard():
        pipeline = broker.client.pipeline(transaction=False)
        for _, stream in queues:
            pipeline.execute_command("XINFO GROUPS", stream)
        # An error for each queue that is not there.
        answers = await pipeline.execute(raise_on_error=False)
    found = (of for (of, _), groups in zip(queues, answers, strict=True) if isinstance(groups, list) and groups)
    return max(found, default=-1) + 1
