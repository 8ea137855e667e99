"""A worker's learned models: fetched, checked, kept, replaced and rolled back without a restart."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from captchad.broker.connection import Broker
from captchad.broker.events import EventFeed
from captchad.broker.learned_models import LearnedModels
from captchad.broker.redis_keys import TargetKeys
from captchad.broker.tasks import TaskStore
from captchad.domain.learned_model import PACKAGED, find_digest
from captchad.recognition.model_shelf import ModelShelf
from captchad.runtime.spawn import TaskSet
from captchad.solving.model_updates import ModelUpdates
from captchad.telemetry.metrics import Metrics
from tests.integration.protocol import LIMITS
from tests.patience import until_true
from tests.unit.recognition.test_model_registry import write_model

HOST = "one.example"


@dataclass
class Host:
    """One worker's host: its folder, its declared targets and its service."""

    broker: Broker
    folder: Path
    feed: EventFeed
    work: TaskSet

    def make(self) -> ModelUpdates:
        metrics = Metrics("worker", "test", "0")
        return ModelUpdates(self.broker, ModelShelf(self.folder / "models"), self.feed, lambda: [HOST], metrics)

    async def start(self) -> ModelUpdates:
        updates = self.make()
        await updates.start()
        self.work.spawn(updates.run(), "updates")
        return updates


@pytest.fixture
async def host(broker: Broker, tmp_path: Path) -> AsyncIterator[Host]:
    feed, work = EventFeed(broker, TaskStore(broker, LIMITS)), TaskSet("test")
    work.spawn(feed.run(), "feed")
    await until_true(lambda: feed.health().is_ready)
    yield Host(broker, tmp_path, feed, work)
    await work.cancel_all()
    # A thread goes on writing the choice that was just made, whoever was cancelled; the folder goes next.
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Two models of different names."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("first", "second"):
        write_model(folder / name, name)
    return [(folder / name).read_bytes() for name in ("first", "second")]


def served(updates: ModelUpdates) -> str | None:
    path = updates.paths().get(HOST)
    return None if path is None else Path(path).stem


def served_bytes(updates: ModelUpdates) -> bytes:
    return Path(updates.paths()[HOST]).read_bytes()


def damage(updates: ModelUpdates) -> None:
    Path(updates.paths()[HOST]).write_bytes(b"damaged")


async def test_a_new_model_serves_without_a_restart_and_a_rollback_ends_it(host: Host, files: list[bytes]) -> None:
    updates, models = await host.start(), LearnedModels(host.broker)
    assert served(updates) is None
    first = await models.install(HOST, files[0], PACKAGED)
    await until_true(lambda: served(updates) == first)
    second = await models.install(HOST, files[1], first or "")
    await until_true(lambda: served(updates) == second)
    assert served_bytes(updates) == files[1]
    await models.roll_back(HOST)
    await until_true(lambda: served(updates) == first)
    assert updates.health().details == {"learned": {HOST: (first or "")[:8]}}


async def test_models_that_are_neither_present_nor_former_leave_the_disk(host: Host, files: list[bytes]) -> None:
    updates, models = await host.start(), LearnedModels(host.broker)
    (host.folder / "models").mkdir(exist_ok=True)
    stray = host.folder / "models" / f"{'0' * 64}.onnx"
    stray.write_bytes(b"old")
    first = await models.install(HOST, files[0], PACKAGED)
    await until_true(lambda: served(updates) == first)
    await until_true(lambda: not stray.exists())


@pytest.mark.parametrize("stored", [b"not a model", b"", None])
async def test_what_is_broken_is_refused_and_the_former_goes_on(
    host: Host, files: list[bytes], stored: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    updates, models = await host.start(), LearnedModels(host.broker)
    first = await models.install(HOST, files[0], PACKAGED)
    await until_true(lambda: served(updates) == first)
    # Its hash is that of another file, or of a file that is none of ours; or Redis has lost it.
    second = find_digest(stored or b"other")
    if stored is None:
        await host.broker.client.hset(TargetKeys(HOST).model, "present", second)
        await host.broker.client.publish(host.broker.node_events, f'{{"target":"{HOST}"}}')
    else:
        await models.install(HOST, stored, first or "")
    await until_true(lambda: any("is refused" in record.message for record in caplog.records))
    assert served(updates) == first
    assert not (host.folder / "models" / f"{second}.onnx").exists()
    refusals = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(refusals) == 1
    assert f"{(first or '')[:8]} stays in use" in refusals[0].message


async def test_bytes_that_changed_on_their_way_are_refused(
    host: Host, files: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    models = LearnedModels(host.broker)
    digest = await models.install(HOST, files[0], PACKAGED)
    await host.broker.client.set(TargetKeys(HOST).models + (digest or ""), files[1])
    updates = await host.start()
    assert served(updates) is None
    assert "not those that its hash names; the packaged model stays in use" in caplog.text


async def test_what_served_last_serves_after_a_restart_also_where_redis_has_lost_it(
    host: Host, files: list[bytes]
) -> None:
    updates, models = await host.start(), LearnedModels(host.broker)
    first = await models.install(HOST, files[0], PACKAGED)
    await until_true(lambda: served(updates) == first)
    await until_true(lambda: ModelShelf(host.folder / "models").recall(HOST) is not None)
    await host.broker.client.flushall()
    assert served(await host.start()) == first
    # And it is here in spite of what a reader of the state folder did to the file.
    damage(updates)
    await models.install(HOST, files[0], PACKAGED)
    again = host.make()
    await again.start()
    assert served(again) == first
    assert served_bytes(again) == files[0]


async def test_a_folder_that_takes_nothing_stops_neither_the_worker_nor_what_is_here(
    host: Host, files: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    updates, models = await host.start(), LearnedModels(host.broker)
    first = await models.install(HOST, files[0], PACKAGED)
    await until_true(lambda: served(updates) == first)
    await until_true(lambda: ModelShelf(host.folder / "models").recall(HOST) is not None)
    # A file in its place is to everybody, root too, what a disk without room is.
    (host.folder / "models").rename(host.folder / "aside")
    (host.folder / "models").write_bytes(b"")
    await models.install(HOST, files[1], first or "")
    await until_true(lambda: "is refused" in caplog.text)
    assert served(updates) == first
    (host.folder / "models").unlink()
    (host.folder / "aside").rename(host.folder / "models")
    updates.look_now()
    await until_true(lambda: served(updates) == find_digest(files[1]))
