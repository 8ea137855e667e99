"""Waiting for units, whose states a script tells in place of systemd."""

from collections.abc import Callable

import pytest

from captchad.deployment.systemd import host, systemctl
from captchad.deployment.systemd.systemctl import UnitState
from captchad.domain.errors import DeploymentFailed
from captchad.runtime.clock import Clock

UNIT = "captchad-worker@1.service"


class ScriptedClock(Clock):
    """Goes on by what is slept."""

    def __init__(self) -> None:
        self.now_seconds = 1000.0

    def monotonic_seconds(self) -> float:
        return self.now_seconds

    async def sleep(self, seconds: float) -> None:
        self.now_seconds += seconds


def at(active: str, sub: str, restarts: int = 0, since_seconds: float = 0.0) -> UnitState:
    return UnitState(UNIT, active, sub, True, False, restarts, "", since_seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ScriptedClock:
    monkeypatch.setattr(systemctl, "describe_failure", lambda unit: f"{unit} does not start")
    return ScriptedClock()


def follow(monkeypatch: pytest.MonkeyPatch, tell: Callable[[], UnitState]) -> None:
    monkeypatch.setattr(systemctl, "read_units", lambda units: {UNIT: tell()})


def wait(clock: Clock, settled_seconds: float = 0.0) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    host.wait_until_ready((UNIT,), clock, lambda ready, total: seen.append((ready, total)), settled_seconds)
    return seen


def test_a_unit_is_waited_for_until_it_is_ready(monkeypatch: pytest.MonkeyPatch, clock: ScriptedClock) -> None:
    states = iter([at("activating", "start"), at("activating", "start"), at("active", "running")])
    follow(monkeypatch, lambda: next(states))
    assert wait(clock) == [(0, 1), (1, 1)]


def test_a_unit_has_come_up_once_it_has_been_ready_for_a_while(
    monkeypatch: pytest.MonkeyPatch, clock: ScriptedClock
) -> None:
    follow(monkeypatch, lambda: at("active", "running", since_seconds=1000.0))
    wait(clock, settled_seconds=3.0)
    assert clock.now_seconds >= 1003.0


def test_a_unit_that_is_ready_and_ends_again_and_again_has_not_come_up(
    monkeypatch: pytest.MonkeyPatch, clock: ScriptedClock
) -> None:
    def tell() -> UnitState:
        seconds = int(clock.now_seconds - 1000.0)
        # Ready in every other second.
        if seconds % 2:
            return at("activating", "auto-restart", seconds // 2)
        return at("active", "running", seconds // 2, 1000.0 + seconds)

    follow(monkeypatch, tell)
    with pytest.raises(DeploymentFailed, match=f"{UNIT} does not start"):
        wait(clock, settled_seconds=3.0)


@pytest.mark.parametrize("state", [at("failed", "failed"), at("activating", "start")])
def test_a_unit_that_fails_or_never_is_ready_is_given_up(
    state: UnitState, monkeypatch: pytest.MonkeyPatch, clock: ScriptedClock
) -> None:
    follow(monkeypatch, lambda: state)
    with pytest.raises(DeploymentFailed, match=f"{UNIT} does not start"):
        wait(clock)
