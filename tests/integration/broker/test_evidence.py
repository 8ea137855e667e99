"""Evidence in Redis: written with the outcome, by the attempt that owns the task alone, in bounded room."""

from collections.abc import AsyncIterator

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import AttemptOutcome, Consumer, Settlement
from captchad.broker.evidence import EvidencePart, EvidenceStore
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.errors import TaskNotFound
from captchad.domain.page import Evidence, KeptEvidence
from captchad.domain.task import TaskStatus
from tests.integration.protocol import LIMITS, NAVIGATION_FAILED, Partition, make_result

EVIDENCE = Evidence(b"picture", b"screenshot", "img#captcha, score 7")
LIMIT_BYTES = 100


@pytest.fixture
async def partition(redis_url: str) -> AsyncIterator[Partition]:
    """Partition 0 of an empty Redis, with little room for evidence."""
    broker = Broker(RedisSection(evidence_limit_bytes=LIMIT_BYTES), "test", url_override=redis_url)
    await broker.start()
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    yield Partition(broker, TaskStore(broker, LIMITS), housekeeping)
    await broker.close()


async def settle(partition: Partition, evidence: Evidence = EVIDENCE) -> str:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    settlement = Settlement(delivery, AttemptOutcome.COMPLETED, result=make_result(), evidence=evidence)
    assert await worker.settle([settlement]) == ["completed"]
    return task_id


async def is_kept(partition: Partition, task_id: str) -> bool:
    try:
        await EvidenceStore(partition.broker).read(task_id, EvidencePart.PICTURE)
    except TaskNotFound:
        return False
    return True


async def count_bytes(partition: Partition) -> int:
    return (await Statistics(partition.broker).queue_status()).evidence_bytes


async def test_evidence_is_kept_as_long_as_the_record(partition: Partition) -> None:
    task_id = await settle(partition)
    store, keys = EvidenceStore(partition.broker), partition.broker.partitions[0]
    assert await store.read(task_id, EvidencePart.PICTURE) == b"picture"
    assert await store.read(task_id, EvidencePart.SCREENSHOT) == b"screenshot"
    assert (await partition.store.read(task_id)).evidence == KeptEvidence(True, True, "img#captcha, score 7")
    record_ttl, evidence_ttl = [
        await partition.broker.client.ttl(key) for key in (keys.task(task_id), keys.evidence(task_id))
    ]
    assert abs(record_ttl - evidence_ttl) <= 1
    assert await count_bytes(partition) == len(b"picturescreenshot")


async def test_a_picture_without_a_page_has_no_screenshot(partition: Partition) -> None:
    task_id = await settle(partition, Evidence(b"picture"))
    assert (await partition.store.read(task_id)).evidence == KeptEvidence(True, False)
    with pytest.raises(TaskNotFound):
        await EvidenceStore(partition.broker).read(task_id, EvidencePart.SCREENSHOT)


async def test_nobody_but_the_owner_writes_evidence(partition: Partition) -> None:
    task_id = await partition.submit()
    zombie, rescuer = partition.make_consumer("zombie"), partition.make_consumer("rescuer")
    [stale] = await zombie.take(1)
    await partition.lose_workers()
    [fresh] = await rescuer.take(1)
    late = Settlement(stale, AttemptOutcome.COMPLETED, result=make_result(), evidence=Evidence(b"stale"))
    assert await zombie.settle([late]) == ["refused"]
    assert not await is_kept(partition, task_id)
    await rescuer.settle(
        [Settlement(fresh, AttemptOutcome.COMPLETED, result=make_result(), evidence=Evidence(b"fresh"))]
    )
    assert await zombie.settle([late]) == ["refused"]
    assert await EvidenceStore(partition.broker).read(task_id, EvidencePart.PICTURE) == b"fresh"


async def test_a_failed_task_keeps_its_evidence_and_a_retried_one_keeps_none_yet(partition: Partition) -> None:
    task_id = await partition.submit(retry_count=1)
    worker = partition.make_consumer()
    await fail(worker, partition)
    assert not await is_kept(partition, task_id)
    await partition.make_delayed_due()
    await partition.housekeeping.promote_due()
    await fail(worker, partition)
    assert (await partition.store.read(task_id)).status is TaskStatus.FAILED
    assert await is_kept(partition, task_id)


async def fail(worker: Consumer, partition: Partition) -> None:
    [delivery] = await worker.take(1)
    await worker.settle([Settlement(delivery, AttemptOutcome.RETRYABLE, error=NAVIGATION_FAILED, evidence=EVIDENCE)])


async def test_the_oldest_makes_room_and_is_counted(partition: Partition) -> None:
    task_ids = [await settle(partition, Evidence(bytes(40))) for _ in range(4)]
    assert [await is_kept(partition, task_id) for task_id in task_ids] == [False, False, True, True]
    assert await count_bytes(partition) == 80
    assert (await Statistics(partition.broker).totals()).evidence_dropped == 2
    assert (await partition.store.read(task_ids[0])).status is TaskStatus.COMPLETED


async def test_what_is_larger_than_the_room_is_not_kept_and_drops_nothing(partition: Partition) -> None:
    first, second = await settle(partition), await settle(partition, Evidence(bytes(LIMIT_BYTES + 1)))
    assert [await is_kept(partition, task_id) for task_id in (first, second)] == [True, False]
    assert (await partition.store.read(second)).evidence is None


async def test_expired_evidence_gives_its_room_back(partition: Partition) -> None:
    task_id = await settle(partition)
    client, keys = partition.broker.client, partition.broker.partitions[0]
    [(member, _)] = await client.zrange(f"{keys.prefix}:evidence", 0, -1, withscores=True)
    await client.delete(keys.evidence(task_id))
    await client.zadd(f"{keys.prefix}:evidence", {member: 1})
    assert (await partition.housekeeping.prune([])).evidence == 1
    assert await count_bytes(partition) == 0
    assert not await client.exists(f"{keys.prefix}:evidence")


async def test_a_task_without_evidence_leaves_no_trace_of_any(partition: Partition) -> None:
    task_id = await settle(partition, Evidence(b""))
    assert (await partition.store.read(task_id)).evidence is None
    assert await partition.broker.client.keys("*evidence*") == []
