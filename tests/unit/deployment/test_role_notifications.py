"""When the silence of a role's event loop counts as a hang, by hand-made times."""

import asyncio
import os
from pathlib import Path

import pytest

from captchad.deployment import role_notifications
from captchad.deployment.role_notifications import WATCHDOG_SECONDS, RoleNotifications
from captchad.runtime.notify import notify_systemd
from tests.patience import until_true
from tests.unit.deployment.scripted_child import SteppedClock


class Scene:
    """A role that speaks when the test says so, on a clock that moves with each step of the watch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SteppedClock()
        self.notifications = RoleNotifications(self.clock)
        self.waited_seconds = {1: 0.0, 2: 0.0}
        for name, value in self.notifications.make_environment({"WATCHDOG_PID": "1"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(role_notifications, "_read_waits_seconds", lambda _: dict(self.waited_seconds))

    async def beat(self, *states: str) -> None:
        before = self.notifications._beats
        assert notify_systemd("\n".join(("WATCHDOG=1", *states)))
        await until_true(lambda: self.notifications._beats > before)

    async def measure_hang(self) -> float:
        """Return after how many seconds the loop counts as hung."""
        began_seconds = self.clock.now_seconds
        await self.notifications.wait_until_hung()
        return self.clock.now_seconds - began_seconds


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def starve(scene: Scene, share: float) -> None:
    """From now on a thread waits for a processor for this share of each step."""
    sleep = scene.clock.sleep

    async def sleep_starving(seconds: float) -> None:
        scene.waited_seconds[2] += share * seconds
        await sleep(seconds)

    scene.clock.sleep = sleep_starving  # type: ignore[method-assign]


async def test_a_loop_that_falls_silent_counts_as_hung_after_its_limit(scene: Scene) -> None:
    await scene.beat("READY=1")
    assert scene.notifications.is_ready.is_set()
    assert await scene.measure_hang() == pytest.approx(WATCHDOG_SECONDS, abs=2)
    scene.notifications.close()


async def test_what_its_threads_waited_for_a_processor_does_not_count(scene: Scene) -> None:
    await scene.beat()
    starve(scene, 0.5)
    assert await scene.measure_hang() == pytest.approx(WATCHDOG_SECONDS * 1.5, abs=2)
    scene.notifications.close()


async def test_on_a_machine_that_is_short_of_processors_for_ever_a_hang_is_found_all_the_same(scene: Scene) -> None:
    await scene.beat()
    starve(scene, 1.0)
    assert await scene.measure_hang() == pytest.approx(WATCHDOG_SECONDS * 5.5, abs=2)
    scene.notifications.close()


async def test_a_word_within_the_limit_begins_anew_and_nothing_counts_before_the_first(scene: Scene) -> None:
    watching = asyncio.ensure_future(scene.notifications.wait_until_hung())

    async def pass_time(seconds: float) -> None:
        end_seconds = scene.clock.now_seconds + seconds
        while scene.clock.now_seconds < end_seconds and not watching.done():
            await asyncio.sleep(0)
        assert not watching.done()

    await pass_time(10 * WATCHDOG_SECONDS)
    for _ in range(3):
        scene.notifications._take(os.getpid(), ["WATCHDOG=1"])
        await pass_time(WATCHDOG_SECONDS - 5)
    await watching
    scene.notifications.close()


async def test_only_the_process_that_spoke_first_is_heard(scene: Scene) -> None:
    scene.notifications._take(4711, ["WATCHDOG=1"])
    scene.notifications._take(4712, ["READY=1", "WATCHDOG=1"])
    assert not scene.notifications.is_ready.is_set()
    assert scene.notifications._beats == 1
    scene.notifications.close()


def test_the_units_have_the_same_limit() -> None:
    units = (Path(__file__).parents[3] / "systemd").glob("captchad-*.service")
    # What runs once and ends is not watched, and Redis does not speak to systemd.
    texts = {unit: unit.read_text() for unit in units}
    ours = [unit for unit, text in texts.items() if "\nExecStart=/opt/captchad/current/bin/captchad" in text]
    watched = [unit for unit in ours if "\nType=oneshot\n" not in texts[unit]]
    assert len(watched) >= 5
    for unit in watched:
        assert f"\nWatchdogSec={WATCHDOG_SECONDS:.0f}\n" in unit.read_text(), unit.name
