"""Dead letters take bounded room: by number and by bytes the oldest go first, and what is dropped is counted."""

import pytest

from captchad.broker.dead_letter_limits import DeadLetterLimits
from captchad.broker.dead_letters import DeadLetters
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.statistics import Statistics
from captchad.config.settings import SchedulerSection
from tests.integration.protocol import Partition, retryable

PICTURE_BYTES = 10_000


async def bury(partition: Partition, limits: DeadLetterLimits, ages_ms: tuple[int, ...]) -> list[str]:
    """Let tasks with pictures become dead letters, the first the oldest."""
    worker, ids = partition.make_consumer(dead_letter_limits=limits), []
    for age_ms in ages_ms:
        ids.append(await partition.submit(retry_count=0, picture=bytes(PICTURE_BYTES)))
        await worker.settle([retryable(delivery) for delivery in await worker.take(1)])
        # Deaths within one millisecond have no order, so give each its own.
        await partition.broker.client.zadd(partition.broker.partitions[0].dead, {ids[-1]: -age_ms}, xx=True, incr=True)
    return ids


async def list_letters(partition: Partition) -> set[str]:
    return set(await DeadLetters(partition.broker, partition.store).list_ids())


@pytest.mark.parametrize(
    "limits", [DeadLetterLimits(2, 10**9), DeadLetterLimits(100, 2 * PICTURE_BYTES + PICTURE_BYTES // 2)]
)
async def test_the_oldest_go_first_and_are_counted(partition: Partition, limits: DeadLetterLimits) -> None:
    ids = await bury(partition, limits, (40, 30, 20, 10))
    assert await list_letters(partition) == set(ids[2:])
    statistics = Statistics(partition.broker)
    assert (await statistics.totals()).dead_dropped == 2
    status = await statistics.queue_status()
    assert status.dead == 2
    assert 2 * PICTURE_BYTES < status.dead_bytes <= limits.bytes
    assert await partition.broker.client.keys("*:dead:*") != []


async def test_one_that_is_larger_than_all_the_room_is_not_kept(partition: Partition) -> None:
    [task_id] = await bury(partition, DeadLetterLimits(100, PICTURE_BYTES), (1,))
    assert await list_letters(partition) == set()
    assert (await partition.store.read(task_id)).error is not None
    status = await Statistics(partition.broker).queue_status()
    assert (status.dead, status.dead_bytes) == (0, 0)


async def test_a_lost_worker_and_a_lowered_limit_keep_the_bound_too(partition: Partition) -> None:
    await bury(partition, DeadLetterLimits(100, 10**9), (40, 30))
    scheduler = SchedulerSection(dead_letter_limit_bytes=PICTURE_BYTES + PICTURE_BYTES // 2)
    housekeeping = Housekeeping(partition.broker, partition.broker.partitions[0], scheduler)
    await housekeeping.prune([])
    assert len(await list_letters(partition)) == 1
    last = await partition.submit(retry_count=0, picture=bytes(PICTURE_BYTES))
    await partition.make_consumer().take(1)
    await housekeeping.reclaim_stalled(lease_seconds=0, away_until_ms=0)
    assert await list_letters(partition) == {last}


async def test_letters_that_grow_too_old_give_their_bytes_back(partition: Partition) -> None:
    [task_id] = await bury(partition, DeadLetterLimits(100, 10**9), (1,))
    await partition.broker.client.zadd(partition.broker.partitions[0].dead, {task_id: 1})
    assert (await partition.housekeeping.prune([])).dead_letters == 1
    assert (await Statistics(partition.broker).queue_status()).dead_bytes == 0
