"""The learner's service between a real Redis and a real disk: nothing is lost between them, and nothing comes twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from captchad.broker.labels import LabelStream
from captchad.domain.label import JudgedAnswer, Verdict
from captchad.operations.labels.label_keeper import LabelKeeper
from captchad.operations.labels.label_store import LabelLimits, LabelStore
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from captchad.telemetry.metrics import Metrics
from tests.integration.broker.test_labels import count_waiting, judged, settle
from tests.integration.protocol import TARGET, Partition
from tests.patience import until, until_true

RIGHT = JudgedAnswer("abcd", Verdict.RIGHT, b"picture")
WRONG = JudgedAnswer("efgh", Verdict.WRONG, b"another picture")


class HurriedClock(Clock):
    """A clock whose pauses are over at once."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


def open_store(folder: Path, labels: int = 100) -> LabelStore:
    return LabelStore(folder / "labels", LabelLimits(labels, 1_000_000, 1e9), Clock())


def make_keeper(partition: Partition, store: LabelStore, metrics: Metrics | None = None) -> LabelKeeper:
    broker = partition.broker
    stream = LabelStream(broker, broker.partitions[0])
    return LabelKeeper(broker, stream, store, metrics or Metrics("scheduler", "test", "0"), HurriedClock())


@asynccontextmanager
async def running(keeper: LabelKeeper) -> AsyncIterator[None]:
    work = TaskSet("test")
    work.spawn(keeper.run(), "keeper")
    yield
    await work.cancel_all()


async def wait_until_empty(partition: Partition) -> None:
    async def is_empty() -> bool:
        return await count_waiting(partition) == 0

    await until(is_empty)


async def test_labels_go_from_redis_to_the_disk(partition: Partition, tmp_path: Path) -> None:
    store, metrics = open_store(tmp_path), Metrics("scheduler", "test", "0")
    task_ids = [await settle(partition, judged(WRONG, RIGHT)) for _ in range(20)]
    async with running(make_keeper(partition, store, metrics)):
        await wait_until_empty(partition)
    found = store.read(TARGET)
    assert {label.label_id for label in found} == {f"{one}-{number}" for one in task_ids for number in (1, 2)}
    assert {label.picture for label in found} == {b"picture", b"another picture"}
    rendered = metrics.render()[0].decode()
    assert 'captchad_labels_kept_total{origin="verified",verdict="wrong"} 20' in rendered


async def test_what_was_written_before_a_kill_comes_again_and_is_there_once(
    partition: Partition, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    await settle(partition, judged(WRONG, RIGHT))
    # Killed between its two writes: the disk has the first label, Redis has both.
    waiting = await LabelStream(partition.broker, partition.broker.partitions[0]).wait(1)
    assert waiting[0].label is not None
    store.add(waiting[0].label, waiting[0].picture)
    async with running(make_keeper(partition, store)):
        await wait_until_empty(partition)
    assert [label.text for label in store.read(TARGET)] == ["efgh", "abcd"]


async def test_two_keepers_of_one_host_do_no_harm(partition: Partition, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    task_ids = [await settle(partition, judged(RIGHT)) for _ in range(20)]
    async with running(make_keeper(partition, store)), running(make_keeper(partition, open_store(tmp_path))):
        await wait_until_empty(partition)
    assert sorted(label.task_id or "" for label in store.read(TARGET)) == sorted(task_ids)
    assert await partition.broker.client.hget(partition.broker.partitions[0].counters, "label_bytes") is None


async def test_labels_wait_in_redis_while_the_disk_refuses(
    partition: Partition, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A file where the folder should be: that is refused to root as well.
    (tmp_path / "labels").write_text("in the way")
    keeper = make_keeper(partition, open_store(tmp_path))
    await settle(partition, judged(RIGHT))
    async with running(keeper):
        await until_true(lambda: not keeper.health().is_ready)
        assert await count_waiting(partition) == 1
        assert "can't be written" in keeper.health().reason
        (tmp_path / "labels").unlink()
        await wait_until_empty(partition)
        await until_true(lambda: keeper.health().is_ready)
    assert len(open_store(tmp_path).read(TARGET)) == 1
    assert caplog.text.count("they wait in Redis") == 1


async def test_a_damaged_label_holds_up_no_other(partition: Partition, tmp_path: Path) -> None:
    metrics = Metrics("scheduler", "test", "0")
    await partition.broker.client.xadd(partition.broker.partitions[0].labels, {"bytes": 0, "id": "x"})
    await settle(partition, judged(RIGHT))
    async with running(make_keeper(partition, open_store(tmp_path), metrics)):
        await wait_until_empty(partition)
    assert len(open_store(tmp_path).read(TARGET)) == 1
    assert 'captchad_labels_dropped_total{reason="unreadable"} 1' in metrics.render()[0].decode()


async def test_what_the_limits_drop_is_counted(partition: Partition, tmp_path: Path) -> None:
    metrics = Metrics("scheduler", "test", "0")
    for _ in range(5):
        await settle(partition, judged(RIGHT))
    async with running(make_keeper(partition, open_store(tmp_path, labels=3), metrics)):
        await wait_until_empty(partition)
    assert 'captchad_labels_dropped_total{reason="limit"} 2' in metrics.render()[0].decode()
