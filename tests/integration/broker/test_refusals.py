"""A Redis that answers and takes no writes, or has no memory left: of every version that is supported."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis

from captchad.broker.connection import Broker
from captchad.broker.consumer import RENEWED, AttemptOutcome, Delivery, Settlement
from captchad.broker.housekeeping import Housekeeping, LeaderLease, note_lost_workers
from captchad.broker.labels import AnswerReports, LabelStream, WaitingLabel
from captchad.broker.nodes import NodeRegistry
from captchad.broker.rate_limits import RateLimiter
from captchad.broker.server_contact import contact_server
from captchad.broker.statistics import Statistics
from captchad.broker.target_limits import TargetLimits
from captchad.broker.tasks import TaskStore
from captchad.config.settings import RedisSection, SchedulerSection
from captchad.domain.errors import BrokerFull, BrokerRefused, TaskErrorCode
from captchad.domain.label import CollectedAnswers, JudgedAnswer, Verdict
from captchad.domain.node import NodeReport, Role
from captchad.domain.page import Evidence
from captchad.domain.target import Target
from captchad.domain.task import TaskError, TaskStatus
from tests.integration.protocol import LIMITS, TARGET, Partition, completed, deferred, retryable
from tests.redis_server import RedisServer
from tests.redis_versions import VERSIONS
from tests.refusals import REFUSALS, TOO_FEW_REPLICAS, Refusal, fill_memory, make_room, open_client

REPORT = NodeReport("w", "1", Role.WORKER, "host", 1, "127.0.0.1:1", "0", False)
CASES = [
    (version, refusal)
    for version in VERSIONS
    for refusal in REFUSALS
    # Before 7.0 a script may write however few replicas there are.
    if not (version == "redis 6.2" and refusal is TOO_FEW_REPLICAS)
]


@dataclass
class Stage:
    """A Redis with a task in every state, and a client of the test's own."""

    partition: Partition
    client: "redis.Redis"
    folder: Path
    running: Delivery
    other: Delivery
    waiting: str


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    running = RedisServer(tmp_path, version=request.param)
    running.start()
    yield running
    running.kill()


@pytest.fixture
async def stage(server: RedisServer, tmp_path: Path) -> AsyncIterator[Stage]:
    broker = Broker(RedisSection(), "test", url_override=server.url)
    await broker.start()
    partition = Partition(
        broker, TaskStore(broker, LIMITS), Housekeeping(broker, broker.partitions[0], SchedulerSection())
    )
    for _ in range(4):
        await partition.submit()
    worker = partition.make_consumer()
    running, other, failing, over_limit = await worker.take(4)
    await worker.settle([retryable(failing), deferred(over_limit)])
    waiting = await partition.submit()
    await NodeRegistry(broker).write(REPORT)
    await LeaderLease(broker, "s.1", 30).hold()
    with open_client(server) as client:
        yield Stage(partition, client, tmp_path, running, other, waiting)
    await broker.close()


def list_writes(stage: Stage) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return every kind of write there is, but for submits."""
    partition, broker = stage.partition, stage.partition.broker
    worker, housekeeping = partition.make_consumer(), partition.housekeeping
    limits, target = TargetLimits(broker, "w.1", 5), Target(TARGET)
    labels = LabelStream(broker, broker.partitions[0])
    return {
        "renew": lambda: worker.renew([stage.running]),
        "take": lambda: worker.take(1),
        "settle": lambda: worker.settle([completed(stage.running)]),
        "hand back": lambda: worker.hand_back_unknown([stage.running.task_id]),
        "cancel": lambda: partition.store.cancel(stage.waiting),
        "promote": housekeeping.promote_due,
        "reclaim": lambda: housekeeping.reclaim_stalled(5, 0),
        "expire": housekeeping.expire_overdue,
        "prune": lambda: housekeeping.prune([]),
        "lead": LeaderLease(broker, "s.1", 30).hold,
        "beat": lambda: NodeRegistry(broker).beat("w.1"),
        "visit": lambda: limits.begin(stage.other, target),
        "renew the visit": lambda: limits.renew(TARGET, [stage.other]),
        "close": lambda: limits.close(TARGET, 60),
        "end the visit": lambda: limits.end(TARGET, stage.other),
        "charge": lambda: RateLimiter(broker).take("caller", 1, 60, 5),
        "count a loss": lambda: note_lost_workers(broker, ["w.1"]),
        "report": lambda: AnswerReports(broker).report(stage.running.task_id, "abcd", Verdict.RIGHT, "key"),
        "forget a label": lambda: labels.forget([WaitingLabel(b"1-0", None)]),
        "contact": lambda: contact_server(broker),
    }


def read_all(client: "redis.Redis") -> dict[bytes, Any]:
    """Return everything that is stored, and which delivery is whose."""
    read: dict[bytes, Callable[[bytes], Any]] = {
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"string": client.get,
        b"stream": lambda key: (client.xrange(key), client.xpending(key, "workers")),
    }
    return {key: read[client.type(key)](key) for key in client.keys("*")}


@pytest.mark.parametrize(
    ("server", "refusal"), CASES, indirect=["server"], ids=lambda case: getattr(case, "name", case)
)
async def test_a_refused_write_is_a_refusal_that_leaves_nothing_half_done(stage: Stage, refusal: Refusal) -> None:
    partition = stage.partition
    before = read_all(stage.client)
    refusal.begin(stage.client, stage.folder)
    with pytest.raises(BrokerRefused):
        await partition.submit()
    for name, write in list_writes(stage).items():
        with pytest.raises(BrokerRefused) as refused:
            await write()
        assert not isinstance(refused.value, BrokerFull), name
    assert (await partition.store.read(stage.running.task_id)).status is TaskStatus.PROCESSING
    assert len(await NodeRegistry(partition.broker).read_all(3600)) == 1
    assert (await Statistics(partition.broker).queue_status()).processing == 2
    health = partition.broker.health()
    assert (health.is_ready, health.reason[:22]) == (False, "Redis takes no writes:")
    refusal.end(stage.client, stage.folder)
    await partition.broker.wait_until_back()
    assert partition.broker.health().is_ready
    assert read_all(stage.client) == before
    worker = partition.make_consumer()
    assert await worker.renew([stage.running, stage.other]) == [RENEWED, RENEWED]
    assert await worker.settle([completed(stage.running)]) == ["completed"]


@pytest.mark.parametrize("server", VERSIONS, indirect=True)
async def test_a_full_redis_refuses_new_tasks_alone(stage: Stage) -> None:
    partition = stage.partition
    await partition.make_delayed_due()
    fill_memory(stage.client)
    with pytest.raises(BrokerFull, match="Redis is full"):
        await partition.submit()
    assert (await partition.housekeeping.promote_due()).count == 2
    for write in list_writes(stage).values():
        await write()
    health = partition.broker.health()
    assert (health.is_ready, health.reason[:13]) == (True, "Redis is full")
    assert (await contact_server(partition.broker)).is_full
    make_room(stage.client)
    await partition.submit()
    await NodeRegistry(partition.broker).beat("w.1")
    assert partition.broker.health().reason == ""


@pytest.mark.parametrize("server", VERSIONS, indirect=True)
async def test_a_full_redis_takes_outcomes_and_keeps_neither_evidence_nor_labels(stage: Stage) -> None:
    partition, worker = stage.partition, stage.partition.make_consumer()
    error = TaskError(TaskErrorCode.WRONG_ANSWER, "wrong", is_retryable=True)
    dead = Settlement(stage.running, AttemptOutcome.EXHAUSTED, error=error, evidence=Evidence(b"x" * 1000, b"y" * 1000))
    answers = CollectedAnswers(TARGET, (JudgedAnswer("abcd", Verdict.RIGHT, b"x" * 1000),))
    fill_memory(stage.client)
    labelled = replace(completed(stage.other), answers=answers)
    assert await worker.settle([dead, labelled]) == ["failed", "completed"]
    make_room(stage.client)
    totals = await Statistics(partition.broker).totals()
    assert (totals.dead_lettered, totals.evidence_dropped, totals.labels_dropped) == (1, 1, 1)
    assert stage.client.zcard(partition.broker.partitions[0].dead) == 1
