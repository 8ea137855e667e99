"""Labels on their way through Redis: written with the outcome by the attempt that owns the task, in bounded room."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from captchad.broker.connection import Broker
from captchad.broker.consumer import Settlement
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.labels import AnswerReports, LabelStream, ReportFate, WaitingLabel
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.errors import BrokerUnavailable
from captchad.domain.label import CollectedAnswers, JudgedAnswer, Label, LabelOrigin, Verdict
from tests.integration.protocol import LIMITS, TARGET, Partition, completed, handed_back, retryable

LIMIT_BYTES = 200
WRONG = JudgedAnswer("abcd", Verdict.WRONG, b"first picture")
RIGHT = JudgedAnswer("efgh", Verdict.RIGHT, b"second picture")


@pytest.fixture
async def partition(redis_url: str) -> AsyncIterator[Partition]:
    """Partition 0 of an empty Redis, with little room for labels."""
    broker = Broker(RedisSection(label_limit_bytes=LIMIT_BYTES), "test", url_override=redis_url)
    await broker.start()
    housekeeping = Housekeeping(broker, broker.partitions[0], SchedulerSection())
    yield Partition(broker, TaskStore(broker, LIMITS), housekeeping)
    await broker.close()


def judged(*answers: JudgedAnswer, unjudged: bytes = b"") -> CollectedAnswers:
    return CollectedAnswers(TARGET, answers, unjudged)


async def settle(partition: Partition, answers: CollectedAnswers | None) -> str:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    assert await worker.settle([replace(completed(delivery), answers=answers)]) == ["completed"]
    return task_id


async def read(partition: Partition) -> list[WaitingLabel]:
    """Return what waits; there must be something."""
    return await LabelStream(partition.broker, partition.broker.partitions[0]).wait(100)


async def read_labels(partition: Partition) -> list[Label]:
    return [one.label for one in await read(partition) if one.label is not None]


async def count_waiting(partition: Partition) -> int:
    return int(await partition.broker.client.xlen(partition.broker.partitions[0].labels))


async def test_what_the_site_says_of_each_answer_is_handed_on(partition: Partition) -> None:
    task_id = await settle(partition, judged(WRONG, RIGHT))
    first, second = await read(partition)
    assert (first.picture, second.picture) == (b"first picture", b"second picture")
    assert first.label is not None
    assert second.label is not None
    assert first.label == Label(
        f"{task_id}-1", TARGET, "abcd", Verdict.WRONG, LabelOrigin.VERIFIED, task_id, first.label.at, "worker"
    )
    assert (second.label.label_id, second.label.text, second.label.verdict) == (f"{task_id}-2", "efgh", Verdict.RIGHT)
    assert first.label.at.endswith("Z")


async def test_each_settlement_of_a_batch_has_its_own_answers(partition: Partition) -> None:
    for _ in range(3):
        await partition.submit()
    worker = partition.make_consumer()
    first, second, third = await worker.take(3)
    settlements: list[Settlement] = [
        replace(completed(first), answers=judged(WRONG, RIGHT)),
        completed(second),
        replace(retryable(third), answers=judged(WRONG)),
    ]
    assert await worker.settle(settlements) == ["completed", "completed", "pending"]
    assert [label.label_id for label in await read_labels(partition)] == [
        f"{first.task_id}-1",
        f"{first.task_id}-2",
        f"{third.task_id}-1",
    ]


async def test_answers_are_numbered_across_the_attempts_of_a_task(partition: Partition) -> None:
    task_id = await partition.submit()
    worker = partition.make_consumer()
    for number in range(2):
        await partition.make_delayed_due()
        await partition.housekeeping.promote_due()
        [delivery] = await worker.take(1)
        ending = completed(delivery) if number else retryable(delivery)
        await worker.settle([replace(ending, answers=judged(WRONG))])
    assert [label.label_id for label in await read_labels(partition)] == [f"{task_id}-1", f"{task_id}-2"]


async def test_an_attempt_that_lost_its_task_or_repeats_itself_hands_nothing_on(partition: Partition) -> None:
    await partition.submit()
    first, second = partition.make_consumer("a"), partition.make_consumer("b")
    [lost] = await first.take(1)
    await partition.lose_workers()
    [delivery] = await second.take(1)
    assert await first.settle([replace(completed(lost), answers=judged(WRONG))]) == ["refused"]
    settlement = replace(completed(delivery), answers=judged(RIGHT))
    assert await second.settle([settlement]) == ["completed"]
    assert await second.settle([settlement]) == ["duplicate"]
    assert [label.text for label in await read_labels(partition)] == ["efgh"]


async def test_an_outcome_that_no_replica_acknowledges_hands_on_its_labels_once(
    partition: Partition, redis_url: str
) -> None:
    broker = Broker(RedisSection(min_replicas_acknowledged=1), "test", url_override=redis_url)
    await broker.start()
    try:
        await partition.submit()
        worker = replace(partition, broker=broker).make_consumer()
        [delivery] = await worker.take(1)
        for _ in range(2):
            with pytest.raises(BrokerUnavailable, match="0 of 1 replicas"):
                await worker.settle([replace(completed(delivery), answers=judged(RIGHT))])
    finally:
        await broker.close()
    assert [label.text for label in await read_labels(partition)] == ["efgh"]


async def test_nothing_is_handed_on_where_no_labels_are_collected(partition: Partition) -> None:
    task_id = await settle(partition, None)
    assert await count_waiting(partition) == 0
    assert await AnswerReports(partition.broker).report(task_id, "x", Verdict.RIGHT, "key") is ReportFate.GONE
    await partition.submit()
    worker = partition.make_consumer()
    [delivery] = await worker.take(1)
    await worker.settle([handed_back(delivery)])
    assert await count_waiting(partition) == 0


async def test_the_oldest_labels_make_room_and_are_counted(partition: Partition) -> None:
    large = JudgedAnswer("abcd", Verdict.RIGHT, bytes(70))
    task_ids = [await settle(partition, judged(large)) for _ in range(4)]
    assert [label.task_id for label in await read_labels(partition)] == task_ids[2:]
    assert await settle(partition, judged(JudgedAnswer("abcd", Verdict.RIGHT, bytes(LIMIT_BYTES))))
    statistics = Statistics(partition.broker)
    assert (await statistics.totals()).labels_dropped == 3
    assert (await statistics.queue_status()).label_bytes == 2 * (70 + len("abcd") + len(TARGET))


async def test_what_the_learner_has_leaves_nothing_behind(partition: Partition) -> None:
    await settle(partition, judged(WRONG, RIGHT))
    waiting = await read(partition)
    stream = LabelStream(partition.broker, partition.broker.partitions[0])
    for _ in range(2):
        await stream.forget(waiting)
    assert await count_waiting(partition) == 0
    assert (await Statistics(partition.broker).queue_status()).label_bytes == 0


async def test_a_damaged_entry_is_told_from_a_label(partition: Partition) -> None:
    await partition.broker.client.xadd(partition.broker.partitions[0].labels, {"bytes": 0, "id": "x"})
    [damaged] = await read(partition)
    assert damaged.label is None


async def test_a_caller_reports_on_the_last_answer_under_its_own_id(partition: Partition) -> None:
    task_id = await settle(partition, judged(WRONG, unjudged=b"last picture"))
    reports = AnswerReports(partition.broker)
    assert await reports.report(task_id, "abcd", Verdict.WRONG, "key") is ReportFate.KEPT
    assert await reports.report(task_id, "ABCD", Verdict.RIGHT, "key") is ReportFate.KEPT
    _, *reported = await read(partition)
    assert [(one.label.label_id, one.label.text, one.label.origin, one.label.who) for one in reported if one.label] == [
        (f"{task_id}-2", "abcd", LabelOrigin.REPORTED, "key"),
        (f"{task_id}-2", "ABCD", LabelOrigin.REPORTED, "key"),
    ]
    assert {one.picture for one in reported} == {b"last picture"}


async def test_a_report_on_a_verified_answer_has_that_answers_id(partition: Partition) -> None:
    task_id = await settle(partition, judged(WRONG, RIGHT))
    await AnswerReports(partition.broker).report(task_id, "efgh", Verdict.WRONG, "key")
    assert [label.label_id for label in await read_labels(partition)] == [
        f"{task_id}-1",
        f"{task_id}-2",
        f"{task_id}-2",
    ]


async def test_pictures_for_reports_expire_with_the_record_and_make_room_before(partition: Partition) -> None:
    keys, client = partition.broker.partitions[0], partition.broker.client
    first = await settle(partition, judged(unjudged=bytes(90)))
    record_ttl, picture_ttl = [await client.pttl(key) for key in (keys.task(first), f"{keys.prefix}:answers:{first}")]
    assert abs(record_ttl - picture_ttl) < 60_000
    for _ in range(2):
        last = await settle(partition, judged(unjudged=bytes(90)))
    reports = AnswerReports(partition.broker)
    assert await reports.report(first, "x", Verdict.RIGHT, "key") is ReportFate.GONE
    assert await reports.report(last, "x", Verdict.RIGHT, "key") is ReportFate.KEPT


async def test_forgotten_answers_are_pruned(partition: Partition) -> None:
    keys, client = partition.broker.partitions[0], partition.broker.client
    await settle(partition, judged(unjudged=b"picture"))
    [member] = await client.zrange(f"{keys.prefix}:answers", 0, -1)
    await client.zadd(f"{keys.prefix}:answers", {member: 1})
    assert (await partition.housekeeping.prune([])).answers == 1
    assert await client.hget(keys.counters, "answer_bytes") is None
