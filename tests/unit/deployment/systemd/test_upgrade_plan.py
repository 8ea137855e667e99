"""Upgrades against a model of a host: killed anywhere, the next deploy or upgrade leaves it with one whole release."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captchad.deployment.systemd import layout
from captchad.deployment.systemd.plan import plan_deploy
from captchad.deployment.systemd.steps import (
    BackUp,
    Check,
    HandOver,
    Install,
    Link,
    RemovePath,
    Restart,
    Step,
    WriteFile,
)
from captchad.deployment.systemd.switch import Switch, find_owed, previous_release, read_switch, switch_text
from captchad.deployment.systemd.unit_files import list_services
from captchad.deployment.systemd.upgrade_plan import plan_completion, plan_rollback, plan_upgrade
from captchad.deployment.systemd.wanted import FoundFile, Release
from captchad.domain.errors import DeploymentFailed
from tests.unit.deployment.systemd.host_model import Host, changing, deploy, want

OLD, NEW, NEWER = (Release(name, f"digest of {name}", "/usr/bin/redis-server") for name in ("0.2.0", "0.3.0", "0.4.0"))
RELEASES = {release.name: release for release in (OLD, NEW, NEWER)}
RESTARTED = [unit for unit in list_services(want()) if unit != layout.REDIS_UNIT]


class Killed(Exception):
    """The process that changed the host is no more."""


class Operator:
    """Runs the commands on a host as the command line does, and may be killed before any of its steps."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.done: list[Step] = []

    def upgrade(self, release: Release, steps_until_killed: int | None = None) -> None:
        found = self.host.look()
        self._run(plan_completion(found) or plan_upgrade(release, found), steps_until_killed)

    def roll_back(self, steps_until_killed: int | None = None) -> None:
        self._run(plan_rollback(self.host.look()), steps_until_killed)

    def deploy(self) -> None:
        """Deploy with the program that the host's command leads to."""
        self._run([HandOver(self.host.release)], None)

    def _run(self, steps: list[Step], limit: int | None) -> None:
        self.done.clear()
        for step in self._follow(steps):
            if limit is not None and len(self.done) >= limit:
                raise Killed
            self.done.append(step)

    def _follow(self, steps: list[Step]) -> Iterator[Step]:
        """Yield each step before it is done."""
        for step in steps:
            yield step
            if isinstance(step, HandOver):
                yield from self._deploy(step.release)
                return
            if not isinstance(step, (BackUp, Check)):
                self.host.apply([step])

    def _deploy(self, release: str) -> Iterator[Step]:
        found = self.host.look()
        owed = find_owed(found, release)
        if owed is not None:
            yield from self._follow([HandOver(owed)])
            return
        try:
            yield from self._follow(plan_deploy(want(release=RELEASES[release]), found))
        except DeploymentFailed as error:
            switch = read_switch(self.host.look())
            if switch is None or switch.before == release:
                raise
            self.host.files[layout.SWITCH] = FoundFile(switch_text(replace(switch, reason=error.message)), 0o644)
            yield from self._follow([HandOver(switch.before)])


def deployed(broken: tuple[str, str] | None = None) -> tuple[Host, Operator]:
    host = Host()
    deploy(host, want(release=OLD))
    host.broken = broken
    return host, Operator(host)


def assert_runs(host: Host, release: Release) -> None:
    """Assert that every unit was started from this one release, and that nothing is left to do."""
    assert host.release == release.name
    assert {host.started_with[unit][-1] for unit in RESTARTED} == {release.digest}
    assert read_switch(host.look()) is None
    assert changing(plan_deploy(want(release=release), host.look())) == []


def count_steps(host: Host, act: str, *arguments: Release) -> int:
    operator = Operator(host)
    getattr(operator, act)(*arguments)
    return len(operator.done)


def test_nothing_that_runs_is_touched_before_the_checks() -> None:
    host, _ = deployed()
    steps = plan_upgrade(NEW, host.look())
    checks = [Check(NEW.name, by) for by in ("config check", "doctor", "deploy --dry-run")]
    assert steps == [BackUp(), Install(NEW.name, NEW.digest), *checks, HandOver(NEW.name)]


def test_the_switch_is_noted_first_and_restarts_one_service_after_another() -> None:
    host, operator = deployed()
    operator.upgrade(NEW)
    kinds = [type(step) for step in operator.done]
    after = operator.done[kinds.index(HandOver) + 1 :]
    assert isinstance(after[0], WriteFile)
    assert after[0].path == layout.SWITCH
    assert after[1] == Link(layout.CURRENT, layout.release_path(NEW.name))
    assert [step.unit for step in after if isinstance(step, Restart)] == RESTARTED
    assert after[-2:] == [Link(layout.PREVIOUS, layout.release_path(OLD.name)), RemovePath(layout.SWITCH)]
    assert_runs(host, NEW)


def test_one_release_is_kept_to_go_back_to() -> None:
    host, operator = deployed()
    operator.upgrade(NEW)
    operator.upgrade(NEWER)
    assert host.installed.keys() == {NEW.name, NEWER.name}
    operator.roll_back()
    assert_runs(host, NEW)
    assert previous_release(host.look()) == NEWER.name
    operator.roll_back()
    assert_runs(host, NEWER)


def test_without_a_release_before_there_is_nothing_to_go_back_to() -> None:
    host, operator = deployed()
    with pytest.raises(DeploymentFailed, match="no release that ran before is kept"):
        operator.roll_back()
    operator.upgrade(NEW)
    del host.installed[OLD.name]
    with pytest.raises(DeploymentFailed, match="no release that ran before is kept"):
        operator.roll_back()


def test_an_upgrade_to_what_runs_does_nothing() -> None:
    host, operator = deployed()
    operator.upgrade(OLD)
    assert operator.done == []
    assert_runs(host, OLD)


def test_an_upgrade_to_what_runs_ends_a_switch_that_was_only_noted() -> None:
    host, operator = deployed()
    with pytest.raises(Killed):
        operator.upgrade(NEW, count_steps_to_the_note() + 1)
    operator.upgrade(OLD)
    assert_runs(host, OLD)


@pytest.mark.parametrize("unit", RESTARTED)
def test_a_release_with_a_unit_that_does_not_come_up_is_undone_with_its_reason(unit: str) -> None:
    host, operator = deployed(broken=(unit, NEW.name))
    operator.upgrade(NEW)
    noted = [step for step in operator.done if isinstance(step, HandOver)]
    assert noted == [HandOver(NEW.name), HandOver(OLD.name)]
    assert_runs(host, OLD)
    assert host.installed.keys() == {OLD.name}
    # What had not been restarted yet is not restarted for the way back either.
    restarts = [step.unit for step in operator.done if isinstance(step, Restart)]
    until = RESTARTED[: RESTARTED.index(unit) + 1]
    assert restarts == [*until, *until]


@given(data=st.data(), is_upgraded_again=st.booleans())
def test_an_upgrade_killed_anywhere_is_completed_or_undone_by_the_next(
    data: st.DataObject, is_upgraded_again: bool
) -> None:
    total = count_steps(deployed()[0], "upgrade", NEW)
    host, operator = deployed()
    with pytest.raises(Killed):
        operator.upgrade(NEW, data.draw(st.integers(0, total - 1)))
    if is_upgraded_again:
        operator.upgrade(NEW)
        assert_runs(host, NEW)
        return
    # A switch that has begun goes on; before that nothing has changed.
    expected = RELEASES[host.release]
    operator.deploy()
    assert_runs(host, expected)


@given(data=st.data(), unit=st.sampled_from(RESTARTED), is_upgraded_again=st.booleans())
def test_a_broken_upgrade_killed_anywhere_ends_with_the_old_release(
    data: st.DataObject, unit: str, is_upgraded_again: bool
) -> None:
    broken = (unit, NEW.name)
    total = count_steps(deployed(broken)[0], "upgrade", NEW)
    host, operator = deployed(broken)
    with pytest.raises(Killed):
        operator.upgrade(NEW, data.draw(st.integers(0, total - 1)))
    if is_upgraded_again:
        operator.upgrade(NEW)
    else:
        operator.deploy()
    assert_runs(host, OLD)


@given(data=st.data(), is_rolled_back_again=st.booleans())
def test_a_rollback_killed_anywhere_is_completed_or_undone_by_the_next(
    data: st.DataObject, is_rolled_back_again: bool
) -> None:
    def upgraded() -> Host:
        host, operator = deployed()
        operator.upgrade(NEW)
        return host

    total = count_steps(upgraded(), "roll_back")
    host = upgraded()
    operator = Operator(host)
    with pytest.raises(Killed):
        operator.roll_back(data.draw(st.integers(0, total - 1)))
    expected = OLD if is_rolled_back_again else RELEASES[host.release]
    operator.roll_back() if is_rolled_back_again else operator.deploy()
    assert_runs(host, expected)


@given(data=st.data())
def test_a_rollback_undoes_an_upgrade_that_was_killed(data: st.DataObject) -> None:
    total = count_steps(deployed()[0], "upgrade", NEW)
    first = count_steps_to_the_note()
    host, operator = deployed()
    with pytest.raises(Killed):
        operator.upgrade(NEW, data.draw(st.integers(first + 1, total - 1)))
    operator.roll_back()
    assert_runs(host, OLD)


def count_steps_to_the_note() -> int:
    _, operator = deployed()
    operator.upgrade(NEW)
    return next(
        place for place, step in enumerate(operator.done) if isinstance(step, WriteFile) and step.path == layout.SWITCH
    )


def test_a_third_release_after_a_broken_off_switch_goes_back_to_the_first_where_it_fails() -> None:
    host, operator = deployed()
    with pytest.raises(Killed):
        operator.upgrade(NEW, count_steps_to_the_note() + 2)
    host.installed[NEWER.name] = NEWER.digest
    host.broken = (RESTARTED[-1], NEWER.name)
    operator._run([HandOver(NEWER.name)], None)
    assert_runs(host, OLD)


@pytest.mark.parametrize("text", ["{", "[]", '{"before": "0.2.0"}'])
def test_a_note_that_says_nothing_is_refused_in_one_line(text: str) -> None:
    host, _ = deployed()
    host.files[layout.SWITCH] = FoundFile(text, 0o644)
    with pytest.raises(DeploymentFailed, match=r"switch\.json"):
        read_switch(host.look())


def test_a_note_of_another_release_is_read_with_what_is_known_of_it() -> None:
    host, _ = deployed()
    host.files[layout.SWITCH] = FoundFile('{"before": "0.2.0", "after": "0.3.0", "since": "then"}', 0o644)
    assert read_switch(host.look()) == Switch("0.2.0", "0.3.0")
