"""A target's limits hold across all workers; whoever must wait loses nothing by it and holds nobody up."""

import asyncio
from dataclasses import replace

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import Delivery
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.statistics import Statistics
from captchad.broker.target_limits import Refusal, TargetLimits
from captchad.broker.tasks import NewTask
from captchad.domain.identifier import make_task_id
from captchad.domain.target import Target
from captchad.domain.task import Priority, TaskRequest, TaskStatus
from tests.integration.protocol import LIMITS, TARGET, Partition, completed, deferred
from tests.patience import PATIENCE_SECONDS, until

SITE = Target(TARGET, max_per_minute=100, max_concurrent=2)
LEASE_SECONDS = 60.0
PICTURE = b"\x89PNG"


@pytest.fixture
def first(broker: Broker) -> TargetLimits:
    return TargetLimits(broker, "first.1", LEASE_SECONDS)


@pytest.fixture
def second(broker: Broker) -> TargetLimits:
    return TargetLimits(broker, "second.1", LEASE_SECONDS)


async def take_all(partition: Partition) -> list[Delivery]:
    return await partition.make_consumer().take(100)


async def take_pages(partition: Partition, count: int) -> list[Delivery]:
    for _ in range(count):
        await partition.submit()
    return await take_all(partition)


def reason_of(refusal: Refusal | None) -> str | None:
    return None if refusal is None else refusal.reason


async def pass_minute(broker: Broker) -> None:
    """Make every visit a minute older."""
    key = TargetKeys(TARGET).visits
    for holder, begun_ms in await broker.client.zrange(key, 0, -1, withscores=True):
        await broker.client.zadd(key, {holder: begun_ms - 60_000})


async def pass_lease(broker: Broker, share: float) -> None:
    """Make so much of every slot's lease pass."""
    key = TargetKeys(TARGET).holders
    for holder in await broker.client.zrange(key, 0, -1):
        await broker.client.zincrby(key, -share * LEASE_SECONDS * 1000, holder)


async def test_no_more_pages_are_open_at_once_than_the_target_allows_whoever_opens_them(
    partition: Partition, first: TargetLimits, second: TargetLimits
) -> None:
    a, b, c = await take_pages(partition, 3)
    assert await first.begin(a, SITE) is None
    assert await second.begin(b, SITE) is None
    assert reason_of(await first.begin(c, SITE)) == reason_of(await second.begin(c, SITE)) == "concurrency"
    await second.end(TARGET, b)
    assert await first.begin(c, SITE) is None


async def test_targets_do_not_count_against_each_other(partition: Partition, first: TargetLimits) -> None:
    a, b = await take_pages(partition, 2)
    alone = replace(SITE, max_concurrent=1)
    assert await first.begin(a, alone) is None
    assert reason_of(await first.begin(b, alone)) == "concurrency"
    assert await first.begin(b, replace(alone, host="other.example")) is None


async def test_no_more_visits_begin_in_a_minute_than_the_target_allows_and_the_wait_is_known(
    partition: Partition, first: TargetLimits, second: TargetLimits
) -> None:
    site = replace(SITE, max_per_minute=2)
    a, b, c = await take_pages(partition, 3)
    for limits, delivery in ((first, a), (second, b)):
        assert await limits.begin(delivery, site) is None
        await limits.end(TARGET, delivery)
    refusal = await first.begin(c, site)
    assert refusal is not None
    assert refusal.reason == "rate"
    assert 50_000 < refusal.deferral.delay_ms <= 60_000
    assert refusal.deferral.pace_ms == 30_000
    await pass_minute(partition.broker)
    assert await first.begin(c, site) is None


async def test_a_lower_limit_counts_at_once(partition: Partition, first: TargetLimits) -> None:
    deliveries = await take_pages(partition, 6)
    for delivery in deliveries[:5]:
        assert await first.begin(delivery, replace(SITE, max_concurrent=9)) is None
    assert reason_of(await first.begin(deliveries[5], replace(SITE, max_concurrent=9, max_per_minute=3))) == "rate"


async def test_the_slot_of_a_dead_holder_returns_after_its_lease_and_not_sooner(
    partition: Partition, broker: Broker, second: TargetLimits
) -> None:
    doomed = TargetLimits(broker, "doomed.1", LEASE_SECONDS)
    site = replace(SITE, max_concurrent=1)
    a, b = await take_pages(partition, 2)
    assert await doomed.begin(a, site) is None
    await pass_lease(broker, 0.5)
    assert reason_of(await second.begin(b, site)) == "concurrency"
    await pass_lease(broker, 0.5)
    assert await second.begin(b, site) is None
    # It lives after all, but its slot is another's now.
    await doomed.renew(TARGET, [a])
    assert await broker.client.zcard(TargetKeys(TARGET).holders) == 1


async def test_a_renewed_slot_outlives_its_first_lease(
    partition: Partition, broker: Broker, second: TargetLimits
) -> None:
    alive = TargetLimits(broker, "alive.1", LEASE_SECONDS)
    site = replace(SITE, max_concurrent=1)
    a, b = await take_pages(partition, 2)
    assert await alive.begin(a, site) is None
    for _ in range(6):
        await pass_lease(broker, 0.5)
        await alive.renew(TARGET, [a])
        assert reason_of(await second.begin(b, site)) == "concurrency"


async def test_a_site_that_had_enough_is_closed_to_every_worker_for_the_longest_time_it_asked(
    partition: Partition, first: TargetLimits, second: TargetLimits
) -> None:
    [a] = await take_pages(partition, 1)
    await first.close(TARGET, 600)
    await second.close(TARGET, 5)
    for limits in (first, second):
        refusal = await limits.begin(a, SITE)
        assert refusal is not None
        assert refusal.reason == "closed"
        assert 590_000 < refusal.deferral.delay_ms <= 600_000
    await first.close("other.example", 1)
    assert await first.begin(a, replace(SITE, host="third.example")) is None


async def test_a_closed_site_opens_by_itself(partition: Partition, first: TargetLimits) -> None:
    [a] = await take_pages(partition, 1)
    await first.close(TARGET, 0.1)

    async def is_open() -> bool:
        return await first.begin(a, SITE) is None

    await until(is_open)


async def test_pictures_count_as_visits_but_open_no_page(partition: Partition, first: TargetLimits) -> None:
    site = replace(SITE, max_per_minute=2, max_concurrent=1)
    for _ in range(3):
        await partition.submit(picture=PICTURE)
    a, b, c = await take_all(partition)
    await first.close(TARGET, 600)
    assert await first.begin(a, site) is None
    assert await first.begin(b, site) is None
    assert reason_of(await first.begin(c, site)) == "rate"


async def test_a_deferred_task_loses_nothing(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=0)
    worker = partition.make_consumer()
    for _ in range(5):
        [delivery] = await worker.take(5)
        assert delivery.attempt == 1
        assert await worker.settle([deferred(delivery)]) == ["pending"]
        assert await worker.settle([deferred(delivery)]) == ["duplicate"]
        record = await partition.store.read(task_id)
        assert (record.status, record.attempts, record.started_ms, record.worker) == (TaskStatus.PENDING, 0, None, None)
        status = await Statistics(partition.broker).queue_status()
        assert (status.pending, status.processing, status.delayed) == (1, 0, 1)
        assert status.per_target[TARGET].deferred == 1
        assert await partition.count_entries() == 0
        assert await worker.take(5) == []
        await partition.make_delayed_due()
        await partition.housekeeping.promote_due()
    [delivery] = await worker.take(5)
    assert await worker.settle([completed(delivery)]) == ["completed"]
    assert await partition.broker.client.keys("*deferred*") == []


async def test_a_task_deferred_after_a_failed_attempt_keeps_that_one(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    await worker.take(1)
    await partition.lose_workers()
    [delivery] = await worker.take(1)
    await worker.settle([deferred(delivery)])
    record = await partition.store.read(task_id)
    assert (record.attempts, record.worker) == (1, "worker")
    assert record.started_ms is not None


async def test_tasks_of_a_limited_target_are_deferred_and_others_go_past_them(partition: Partition) -> None:
    [delivery] = await take_pages(partition, 1)
    await partition.make_consumer().settle([deferred(delivery)])
    limited = [await partition.submit() for _ in range(60)]
    other = await partition.submit(target="other.example", priority=Priority.LOW)
    picture = await partition.submit(picture=PICTURE)
    taken = await partition.make_consumer().take(2)
    assert [one.task_id for one in taken] == [picture, other]
    status = await Statistics(partition.broker).queue_status()
    assert status.per_target[TARGET].deferred == len(limited) + 1
    assert (await partition.store.read(limited[0])).attempts == 0


async def test_deferred_tasks_are_released_one_by_one_at_the_pace_by_priority_and_then_by_age(
    partition: Partition,
) -> None:
    worker = partition.make_consumer()
    [oldest] = await take_pages(partition, 1)
    await worker.settle([deferred(oldest)])
    normal = await partition.submit()
    high = await partition.submit(priority=Priority.HIGH)
    assert await worker.take(5) == []
    called = []
    for _ in range(3):
        await partition.make_delayed_due()
        sweep = await partition.housekeeping.promote_due()
        assert sweep.count == 1
        [delivery] = await worker.take(5)
        called.append(delivery.task_id)
        if len(called) < 3:
            assert sweep.next_due_seconds == pytest.approx(1.0, abs=0.2)
            assert (await partition.housekeeping.promote_due()).count == 0
    assert called == [high, oldest.task_id, normal]


async def test_tasks_submitted_together_are_released_in_their_order(partition: Partition) -> None:
    worker = partition.make_consumer()
    [first] = await take_pages(partition, 1)
    await worker.settle([deferred(first)])
    request = TaskRequest(TARGET, url=f"http://{TARGET}/")
    submitted = await partition.store.submit([NewTask(make_task_id(0), request) for _ in range(90)])
    assert await worker.take(500) == []
    waiting = await partition.broker.client.zrange(f"{partition.broker.partitions[0].prefix}:deferred:{TARGET}", 0, -1)
    assert [task_id.decode() for task_id in waiting] == [first.task_id, *submitted]


async def test_a_lost_workers_task_is_not_deferred_again(partition: Partition) -> None:
    worker = partition.make_consumer()
    lost, refused = await take_pages(partition, 2)
    await worker.settle([deferred(refused)])
    await partition.lose_workers()
    [delivery] = await worker.take(5)
    assert delivery.task_id == lost.task_id


async def test_a_deferred_task_can_be_cancelled_and_has_its_deadline(partition: Partition) -> None:
    worker = partition.make_consumer()
    cancelled = await partition.submit()
    overdue = await partition.submit(deadline_seconds=0.05)
    await worker.settle([deferred(delivery) for delivery in await worker.take(5)])
    assert (await partition.store.cancel(cancelled)).status is TaskStatus.CANCELLED

    async def has_failed() -> bool:
        await partition.housekeeping.expire_overdue()
        return (await partition.store.read(overdue)).status is TaskStatus.FAILED

    await until(has_failed)
    await partition.make_delayed_due()
    assert (await partition.housekeeping.promote_due()).count == 0
    assert await partition.broker.client.keys("*deferred*") == []


async def test_a_slot_that_becomes_free_releases_the_next_deferred_task_at_once(
    partition: Partition, first: TargetLimits, second: TargetLimits
) -> None:
    site = replace(SITE, max_concurrent=1)
    worker = partition.make_consumer()
    a, b, c = await take_pages(partition, 3)
    assert await first.begin(a, site) is None
    for delivery in (b, c):
        refusal = await second.begin(delivery, site)
        assert refusal is not None
        await worker.settle([deferred(delivery, refusal.deferral.delay_ms, refusal.deferral.pace_ms)])
    await first.end(TARGET, a)
    [again] = await worker.take(5)
    assert again.task_id == b.task_id
    assert await second.begin(again, site) is None
    await second.end(TARGET, again)
    [last] = await worker.take(5)
    assert last.task_id == c.task_id
    await second.end(TARGET, last)
    assert await partition.broker.client.exists(TargetKeys(TARGET).waiting) == 0


async def test_more_tasks_than_one_call_defers_are_deferred_by_the_next_without_waiting(
    partition: Partition,
) -> None:
    worker = partition.make_consumer()
    partition.store.replace_limits(replace(LIMITS, tasks=2000))
    [delivery] = await take_pages(partition, 1)
    await worker.settle([deferred(delivery)])
    for _ in range(700):
        await partition.submit()
    assert await worker.take(1) == []
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.wait_for_more()
    assert await worker.take(1) == []
    assert (await Statistics(partition.broker).queue_status()).per_target[TARGET].deferred == 701
