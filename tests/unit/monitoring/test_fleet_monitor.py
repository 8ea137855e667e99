"""The fleet monitor: one reading for all, only as often as somebody looks."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from captchad.domain.errors import BrokerUnavailable
from captchad.domain.node import Role
from captchad.monitoring.alerts import AlertThresholds
from captchad.monitoring.fleet import FleetReader, FleetSnapshot
from captchad.monitoring.fleet_monitor import FleetMonitor
from captchad.runtime.clock import Clock
from captchad.runtime.spawn import TaskSet
from tests.patience import PATIENCE_SECONDS
from tests.unit.monitoring.fleets import make_snapshot, without


class SettableClock(Clock):
    """A clock the test moves."""

    now_seconds = 1000.0

    def monotonic_seconds(self) -> float:
        return self.now_seconds


class CountingReader(FleetReader):
    """Returns a snapshot made by hand, and counts."""

    def __init__(self) -> None:
        self.snapshot: FleetSnapshot = make_snapshot()
        self.wanted_tasks: list[bool] = []
        self.is_away = False

    async def read(self, with_tasks: bool) -> FleetSnapshot:
        self.wanted_tasks.append(with_tasks)
        await asyncio.sleep(0)
        if self.is_away:
            raise BrokerUnavailable("Redis does not answer")
        return self.snapshot


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def reader() -> CountingReader:
    return CountingReader()


@pytest.fixture
def monitor(reader: CountingReader, clock: SettableClock) -> FleetMonitor:
    return FleetMonitor(reader, lambda: AlertThresholds(expected_workers=1, queue_limit=10), clock)


@asynccontextmanager
async def running(monitor: FleetMonitor) -> AsyncIterator[None]:
    work = TaskSet("test")
    work.spawn(monitor.run(), "run")
    yield
    await work.cancel_all()


async def test_those_who_ask_at_the_same_time_share_a_reading(monitor: FleetMonitor, reader: CountingReader) -> None:
    views = await asyncio.gather(*(monitor.refresh(max_age_seconds=1.0) for _ in range(50)))
    assert len(reader.wanted_tasks) == 1
    assert len({view.number for view in views}) == 1


async def test_an_old_view_is_read_again(monitor: FleetMonitor, reader: CountingReader, clock: SettableClock) -> None:
    await monitor.refresh(max_age_seconds=1.0)
    clock.now_seconds += 0.9
    await monitor.refresh(max_age_seconds=1.0)
    assert len(reader.wanted_tasks) == 1
    clock.now_seconds += 0.2
    await monitor.refresh(max_age_seconds=1.0)
    assert len(reader.wanted_tasks) == 2


async def test_recent_tasks_are_read_only_for_watchers(monitor: FleetMonitor, reader: CountingReader) -> None:
    await monitor.refresh(max_age_seconds=0)
    with monitor.watching():
        await monitor.refresh(max_age_seconds=1.0)
    assert reader.wanted_tasks == [False, True]


async def test_a_watcher_wakes_the_loop_and_gets_each_newer_view(monitor: FleetMonitor) -> None:
    async with running(monitor):
        first = await monitor.wait_newer(0, timeout_seconds=5)
        with monitor.watching():
            second = await monitor.wait_newer(first.number, timeout_seconds=5)
    assert second.number > first.number


async def test_waiting_ends_after_its_time_with_the_present_view(monitor: FleetMonitor) -> None:
    view = await monitor.refresh(max_age_seconds=0)
    assert await monitor.wait_newer(view.number, timeout_seconds=0) is view


async def test_draining_releases_everybody(monitor: FleetMonitor) -> None:
    async def wait() -> int:
        return (await monitor.wait_newer(99, timeout_seconds=60)).number

    async def drain() -> None:
        await monitor.drain()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(wait(), wait(), drain())
    assert monitor.is_closing


async def test_an_outage_keeps_the_last_snapshot_and_its_age(
    monitor: FleetMonitor, reader: CountingReader, clock: SettableClock
) -> None:
    await monitor.refresh(max_age_seconds=0)
    reader.is_away = True
    clock.now_seconds += 30
    view = await monitor.refresh(max_age_seconds=0)
    assert view.snapshot is reader.snapshot
    assert view.broker_failure == "Redis does not answer"
    assert monitor.age_seconds() == 30
    assert view.alerts == ()
    clock.now_seconds += 15
    view = await monitor.refresh(max_age_seconds=0)
    assert [alert.name for alert in view.alerts] == ["BrokerUnavailable"]
    assert monitor.health().is_ready
    reader.is_away = False
    view = await monitor.refresh(max_age_seconds=0)
    assert view.broker_failure == ""
    assert monitor.age_seconds() == 0


async def test_alerts_are_logged_when_they_begin_and_when_they_end(
    monitor: FleetMonitor, reader: CountingReader, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reader.snapshot = without(Role.SCHEDULER)
    await monitor.refresh(max_age_seconds=0)
    assert "SchedulerMissing" not in caplog.text
    clock.now_seconds += 30
    await monitor.refresh(max_age_seconds=0)
    await monitor.refresh(max_age_seconds=0)
    reader.snapshot = make_snapshot()
    await monitor.refresh(max_age_seconds=0)
    about = [record.getMessage() for record in caplog.records if "SchedulerMissing" in record.getMessage()]
    assert len(about) == 2
    assert about[1] == "alert SchedulerMissing is resolved"


async def test_thresholds_that_a_reload_changed_are_judged_by(reader: CountingReader, clock: SettableClock) -> None:
    expected = [1]
    monitor = FleetMonitor(reader, lambda: AlertThresholds(expected_workers=expected[0], queue_limit=10), clock)
    await monitor.refresh(max_age_seconds=0)
    expected[0] = 2
    await monitor.refresh(max_age_seconds=0)
    clock.now_seconds += 60
    view = await monitor.refresh(max_age_seconds=0)
    assert [alert.name for alert in view.alerts] == ["WorkerNodeDown"]
