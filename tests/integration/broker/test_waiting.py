"""What a pending task waits for is told from where it waits, and changes with it."""

import pytest

from captchad.broker.redis_keys import TargetKeys
from captchad.broker.target_closures import TargetClosures
from captchad.broker.target_limits import TargetLimits
from captchad.broker.tasks import TaskQuery
from captchad.domain.target import Target
from captchad.domain.task import WaitingFor, WaitReason
from tests.integration.protocol import TARGET, Partition, deferred, retryable

SITE = Target(TARGET, max_per_minute=2, max_concurrent=1)
PICTURE = b"\x89PNG"
CLOSED_SECONDS = 200.0


async def read_wait(partition: Partition, task_id: str) -> WaitingFor | None:
    """Return what the task waits for, the same in its status and in the list."""
    record = await partition.store.read(task_id)
    [listed] = [one for one in (await partition.store.list_page(TaskQuery())).tasks if one.task_id == task_id]
    assert listed == record
    return record.waiting_for


async def refuse(partition: Partition, site: Target = SITE) -> None:
    """Take what waits, and defer all of it as the target's limits say."""
    worker, limits = partition.make_consumer(), TargetLimits(partition.broker, "worker.1", 60.0)
    settlements = []
    for delivery in await worker.take(10):
        refusal = await limits.begin(delivery, site)
        assert refusal is not None
        settlements.append(deferred(delivery, refusal.deferral.delay_ms, refusal.deferral.pace_ms, refusal.reason))
    await worker.settle(settlements)


async def close(partition: Partition) -> None:
    await TargetLimits(partition.broker, "worker.1", 60.0).close(TARGET, CLOSED_SECONDS)


async def test_a_queued_task_a_running_one_and_one_that_has_ended_wait_for_nothing(partition: Partition) -> None:
    queued, running = await partition.submit(), await partition.submit()
    assert await read_wait(partition, queued) is None
    await partition.make_consumer().take(1)
    assert await read_wait(partition, running) is None
    await partition.store.cancel(running)
    assert await read_wait(partition, running) is None


async def test_a_failed_attempt_waits_for_its_retry(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    before_ms = await partition.read_time_ms()
    await worker.settle([retryable(delivery) for delivery in await worker.take(1)])
    wait = await read_wait(partition, task_id)
    assert wait is not None
    assert wait.reason is WaitReason.RETRY
    assert wait.until_ms is not None
    assert before_ms < wait.until_ms <= await partition.read_time_ms() + 1000


async def test_all_tasks_of_a_closed_target_wait_for_it_at_its_pace(partition: Partition) -> None:
    await close(partition)
    ids = [await partition.submit() for _ in range(3)]
    await refuse(partition)
    waits = [await read_wait(partition, task_id) for task_id in ids]
    assert [wait and wait.reason for wait in waits] == [WaitReason.TARGET_CLOSED] * 3
    untils_ms = [wait.until_ms for wait in waits if wait is not None and wait.until_ms is not None]
    assert untils_ms[0] == pytest.approx(await partition.read_time_ms() + CLOSED_SECONDS * 1000, abs=60_000)
    assert untils_ms == [untils_ms[0], untils_ms[0] + 30_000, untils_ms[0] + 60_000]


async def test_a_task_that_joins_those_that_wait_says_the_same(partition: Partition) -> None:
    await close(partition)
    await partition.submit()
    await refuse(partition)
    joined, picture = await partition.submit(), await partition.submit(picture=PICTURE)
    assert [delivery.task_id for delivery in await partition.make_consumer().take(5)] == [picture]
    wait = await read_wait(partition, joined)
    assert wait is not None
    assert wait.reason is WaitReason.TARGET_CLOSED


async def test_a_limit_of_visits_says_when_and_one_of_pages_can_not(partition: Partition) -> None:
    limits = TargetLimits(partition.broker, "other.1", 60.0)
    first = await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    assert await limits.begin(delivery, SITE) is None
    second = await partition.submit()
    await refuse(partition)
    assert await read_wait(partition, second) == WaitingFor(WaitReason.TARGET_LIMIT, None)
    assert await read_wait(partition, first) is None
    await limits.end(TARGET, delivery)
    await refuse(partition, Target(TARGET, max_per_minute=1, max_concurrent=9))
    wait = await read_wait(partition, second)
    assert wait is not None
    assert wait.reason is WaitReason.TARGET_LIMIT
    assert wait.until_ms is not None


async def test_a_reopened_target_is_visited_again_at_once(partition: Partition) -> None:
    closures = TargetClosures(partition.broker)
    await close(partition)
    ids = [await partition.submit() for _ in range(2)]
    await refuse(partition)
    assert (await partition.housekeeping.promote_due()).count == 0
    reopening = await closures.reopen(TARGET)
    assert CLOSED_SECONDS - 60 < reopening.closed_seconds <= CLOSED_SECONDS
    assert reopening.waiting == 2
    assert not await partition.broker.client.exists(TargetKeys(TARGET).closed)
    wait = await read_wait(partition, ids[0])
    assert wait is not None
    assert wait.reason is WaitReason.TARGET_LIMIT
    assert (await partition.housekeeping.promote_due()).count == 1
    [delivery] = await partition.make_consumer().take(5)
    assert delivery.task_id == ids[0]
    assert await TargetLimits(partition.broker, "worker.1", 60.0).begin(delivery, SITE) is None
    again = await closures.reopen(TARGET)
    assert again.closed_seconds == 0


async def test_the_state_of_a_target_counts_its_visits_and_its_closure(partition: Partition) -> None:
    closures = TargetClosures(partition.broker)
    assert (await closures.read(TARGET)).closed_seconds == 0
    await partition.submit(picture=PICTURE)
    [delivery] = await partition.make_consumer().take(1)
    await TargetLimits(partition.broker, "worker.1", 60.0).begin(delivery, SITE)
    await close(partition)
    state = await closures.read(TARGET)
    assert state.visits == 1
    assert CLOSED_SECONDS - 60 < state.closed_seconds <= CLOSED_SECONDS
