"""The scripts do what the lifecycle table says, in whatever order things happen."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from captchad.broker.connection import Broker
from captchad.broker.consumer import Delivery, Settlement
from captchad.broker.housekeeping import Housekeeping
from captchad.broker.statistics import Statistics
from captchad.broker.tasks import QueueLimits, TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.errors import AlreadyFinished
from captchad.domain.lifecycle import TaskEvent, next_statuses
from captchad.domain.task import TaskRecord, TaskStatus
from tests.integration.protocol import Partition, completed, deferred, failed_for_good, handed_back, retryable
from tests.redis_server import RedisServer
from tests.replicated_redis import ReplicatedRedis

OUTCOMES: dict[str, tuple[Callable[[Delivery], Settlement], frozenset[TaskEvent]]] = {
    "completed": (completed, frozenset({TaskEvent.COMPLETE})),
    "retryable": (retryable, frozenset({TaskEvent.RETRY, TaskEvent.FAIL})),
    "failed": (failed_for_good, frozenset({TaskEvent.FAIL})),
    "deferred": (deferred, frozenset({TaskEvent.DEFER})),
    "handed_back": (handed_back, frozenset({TaskEvent.HAND_BACK})),
}


class Lifecycle(RuleBasedStateMachine):
    """Random histories of a few tasks and workers, zombies among them; `statuses` is what the table says of each."""

    server: RedisServer
    replicas = 0
    tasks = Bundle("tasks")
    deliveries = Bundle("deliveries")

    def __init__(self) -> None:
        super().__init__()
        with redis.Redis(port=self.server.port) as client:
            client.flushall()
        self.runner = asyncio.Runner()
        self.partition = self.runner.run(self._connect())
        self.statuses: dict[str, TaskStatus] = {}
        self.tokens: dict[str, str] = {}
        self.ended: dict[str, TaskRecord] = {}

    async def _connect(self) -> Partition:
        section = RedisSection(min_replicas_acknowledged=self.replicas)
        broker = Broker(section, "lifecycle", url_override=self.server.url)
        await broker.start()
        store = TaskStore(broker, QueueLimits(1000, 10**9))
        return Partition(broker, store, Housekeeping(broker, broker.partitions[0], SchedulerSection()))

    def teardown(self) -> None:
        self.runner.run(self.partition.broker.close())
        self.runner.close()

    def follow(self, task_id: str, events: frozenset[TaskEvent]) -> None:
        """Check that the stored status is one that `events` lead to; without events it must not have moved."""
        # As the scheduler does: the ends that no worker wrote wait for it where replicas must have them.
        self.runner.run(self.partition.housekeeping.confirm_ends())
        record = self.runner.run(self.partition.store.read(task_id))
        before = self.statuses[task_id]
        allowed = frozenset[TaskStatus]().union(*(next_statuses(before, event) for event in events)) or {before}
        assert record.status in allowed, (before, events, record.status)
        self.statuses[task_id] = record.status
        if record.status is not TaskStatus.PROCESSING:
            self.tokens.pop(task_id, None)
        if record.status.is_final:
            assert self.ended.setdefault(task_id, record) == record

    @rule(target=tasks)
    def submit(self) -> str:
        task_id = self.runner.run(self.partition.submit(retry_count=1))
        self.statuses[task_id] = TaskStatus.PENDING
        return task_id

    @rule(target=deliveries, tasks_wanted=st.integers(1, 3))
    def take(self, tasks_wanted: int) -> tuple[Delivery, ...]:
        taken = tuple(self.runner.run(self.partition.make_consumer().take(tasks_wanted)))
        assert len(taken) <= tasks_wanted
        for delivery in taken:
            self.follow(delivery.task_id, frozenset({TaskEvent.BEGIN}))
            self.tokens[delivery.task_id] = delivery.token
        return taken

    @rule(held=deliveries, name=st.sampled_from(sorted(OUTCOMES)))
    def settle(self, held: tuple[Delivery, ...], name: str) -> None:
        make_settlement, events = OUTCOMES[name]
        for delivery in held:
            is_owner = self.tokens.get(delivery.task_id) == delivery.token
            [answer] = self.runner.run(self.partition.make_consumer().settle([make_settlement(delivery)]))
            assert (answer in {"refused", "duplicate"}) is not is_owner
            self.follow(delivery.task_id, events if is_owner else frozenset())

    @rule(held=deliveries)
    def renew(self, held: tuple[Delivery, ...]) -> None:
        if not held:
            return
        answers = self.runner.run(self.partition.make_consumer().renew(held))
        for delivery, answer in zip(held, answers, strict=True):
            is_owner = self.tokens.get(delivery.task_id) == delivery.token
            assert (answer == "renewed") is is_owner

    @rule()
    def lose_every_worker(self) -> None:
        running = [task_id for task_id, status in self.statuses.items() if status is TaskStatus.PROCESSING]
        self.runner.run(self.partition.lose_workers())
        for task_id in running:
            self.follow(task_id, frozenset({TaskEvent.LOSE_WORKER}))

    @rule(task_id=tasks)
    def cancel(self, task_id: str) -> None:
        try:
            self.runner.run(self.partition.store.cancel(task_id))
        except AlreadyFinished:
            self.follow(task_id, frozenset())
        else:
            self.follow(task_id, frozenset({TaskEvent.CANCEL}))

    @rule()
    def promote(self) -> None:
        self.runner.run(self.partition.make_delayed_due())
        self.runner.run(self.partition.housekeeping.promote_due())

    @invariant()
    def counts_agree_with_the_records(self) -> None:
        counted = list(self.statuses.values())
        status = self.runner.run(Statistics(self.partition.broker).queue_status())
        totals = self.runner.run(Statistics(self.partition.broker).totals())
        assert status.processing == counted.count(TaskStatus.PROCESSING)
        assert status.pending == counted.count(TaskStatus.PENDING)
        assert totals.completed == counted.count(TaskStatus.COMPLETED)
        assert totals.failed == counted.count(TaskStatus.FAILED)
        assert totals.cancelled == counted.count(TaskStatus.CANCELLED)
        entries = self.runner.run(self.partition.count_entries())
        assert entries == status.pending - status.delayed + status.processing


class ReplicatedLifecycle(Lifecycle):
    """The same where a replica must have every end before it counts."""

    replicas = 1


def test_every_history_follows_the_lifecycle_table(shared_redis: RedisServer) -> None:
    Lifecycle.server = shared_redis
    run_state_machine_as_test(Lifecycle, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


def test_every_history_follows_it_where_a_replica_must_have_the_ends(tmp_path: Path) -> None:
    servers = ReplicatedRedis(tmp_path)
    try:
        servers.start()
        ReplicatedLifecycle.server = servers.master
        limits = settings(max_examples=20, stateful_step_count=30, deadline=None)
        run_state_machine_as_test(ReplicatedLifecycle, settings=limits)
    finally:
        servers.stop()
