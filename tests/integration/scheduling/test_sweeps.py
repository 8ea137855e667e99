"""What one sweep leaves over is done at once, not a tick later."""

import pytest

from captchad.broker.audit_log import AuditLog
from captchad.broker.connection import Broker
from captchad.broker.housekeeping import BATCH, Housekeeping, LeaderLease, note_lost_workers
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import NewTask, QueueLimits, TaskStore
from captchad.config.settings import AuditLogSection, SchedulerSection
from captchad.domain.audit import Act
from captchad.domain.identifier import make_task_id
from captchad.domain.task import TaskRequest
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.scheduling import overdue_tasks
from captchad.scheduling.audit_retention import AuditRetention
from captchad.scheduling.leadership import Leadership
from captchad.scheduling.overdue_tasks import Deadlines
from captchad.telemetry.metrics import Metrics
from tests.integration.protocol import TARGET, Partition
from tests.patience import until

MANY = 2 * BATCH + 100
AT_ONCE = 100


@pytest.fixture
async def housekeeping(broker: Broker) -> Housekeeping:
    return Housekeeping(broker, broker.partitions[0], SchedulerSection())


async def test_all_overdue_tasks_end_within_one_tick(
    broker: Broker, housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaskStore(broker, QueueLimits(MANY, 10**9))
    request = TaskRequest(TARGET, url=f"http://{TARGET}/", task_deadline_seconds=0.001)
    for _ in range(0, MANY, AT_ONCE):
        await store.submit([NewTask(make_task_id(0), request) for _ in range(AT_ONCE)])
    # No second tick comes to the help of the first.
    monkeypatch.setattr(overdue_tasks, "TICK_SECONDS", 3600.0)
    metrics, work = Metrics("scheduler", "s", "0"), TaskSet("test")
    leadership = Leadership(LeaderLease(broker, "s.1", 3600), Clock(), metrics)
    await leadership.start()
    work.spawn(leadership.run(), "leadership")
    work.spawn(Deadlines([housekeeping], leadership, metrics).run(), "deadlines")

    async def have_all_ended() -> bool:
        return (await Statistics(broker).totals()).failed == MANY

    await until(have_all_ended)
    await work.cancel_all()


async def test_all_old_dead_letters_and_evidence_are_forgotten_in_one_round(
    broker: Broker, housekeeping: Housekeeping
) -> None:
    keys = broker.partitions[0]
    await broker.client.zadd(keys.dead, {make_task_id(0): 1 for _ in range(MANY)})
    await broker.client.zadd(f"{keys.prefix}:evidence", {f"{make_task_id(0)} 10": 1 for _ in range(MANY)})
    pruned = await housekeeping.prune([])
    assert (pruned.dead_letters, pruned.evidence) == (MANY, MANY)


async def test_a_lost_worker_is_counted_once_however_many_tasks_and_rounds(
    partition: Partition, housekeeping: Housekeeping
) -> None:
    for _ in range(5):
        await partition.submit()
    await partition.make_consumer("first").take(2)
    await partition.make_consumer("second").take(1)
    found = await housekeeping.reclaim_stalled(0, 0)
    assert found.consumers == {"first.1", "second.1"}
    await note_lost_workers(partition.broker, found.consumers)
    # Another round, or another partition, finds more tasks of a worker that is counted already.
    await partition.make_consumer("first").take(4)
    found = await housekeeping.reclaim_stalled(0, 0)
    assert found.consumers == {"first.1"}
    await note_lost_workers(partition.broker, found.consumers)
    assert (await Statistics(partition.broker).totals()).workers_lost == 2


async def test_old_entries_of_the_audit_log_go_while_nothing_is_written(broker: Broker) -> None:
    log = AuditLog(broker, AuditLogSection(retention_seconds=1))
    await log.append([Act("submit_task").encode()])
    metrics, work = Metrics("scheduler", "s", "0"), TaskSet("test")
    leadership = Leadership(LeaderLease(broker, "s.1", 3600), Clock(), metrics)
    await leadership.start()
    work.spawn(leadership.run(), "leadership")
    work.spawn(AuditRetention(log, leadership, 0.05).run(), "retention")

    async def is_gone() -> bool:
        return (await log.read_whole())[0] == []

    await until(is_gone)
    await work.cancel_all()
