"""A deploy that replaces another release, where it fails; the release before is a program that says what it got."""

import os
from pathlib import Path

import pytest

from captchad.cli import switching
from captchad.deployment.systemd import host, layout
from captchad.deployment.systemd.switch import Switch, read_switch, switch_text
from captchad.deployment.systemd.wanted import Found, FoundFile
from captchad.domain.errors import DeploymentFailed


class HandedOver(Exception):
    """This process goes on as another program."""


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host on which a switch is noted; going on as a release is seen as HandedOver."""
    path = tmp_path / "switch.json"
    path.write_text(switch_text(Switch("0.2.0", "0.3.0")))
    monkeypatch.setattr(layout, "SWITCH", str(path))

    def execute(program: str, arguments: list[str]) -> None:
        raise HandedOver(*arguments)

    monkeypatch.setattr(os, "execv", execute)
    installed = {"0.2.0": "old", "0.3.0": "new"}
    monkeypatch.setattr(host, "look", lambda: Found({str(path): FoundFile(path.read_text(), 0o644)}, {}, installed))
    return path


@pytest.mark.parametrize("error", [DeploymentFailed("worker@1 does not start: no module"), KeyError("anything")])
def test_a_switch_that_fails_is_handed_to_the_release_before_with_its_reason(
    noted: Path, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HandedOver) as handed, switching.undone_where_it_fails("0.3.0"):
        raise error
    assert handed.value.args == (layout.program_path("0.2.0"), "deploy")
    switch = read_switch(host.look())
    assert switch is not None
    reason = error.message if isinstance(error, DeploymentFailed) else "KeyError: 'anything'"
    assert switch == Switch("0.2.0", "0.3.0", reason=reason)
    assert reason in capsys.readouterr().err
    with pytest.raises(HandedOver):
        switching.hand_back_where_owed(host.look(), "0.3.0")
    switching.hand_back_where_owed(host.look(), "0.2.0")


def test_an_interrupted_switch_stays_to_be_completed(noted: Path) -> None:
    with pytest.raises(KeyboardInterrupt), switching.undone_where_it_fails("0.3.0"):
        raise KeyboardInterrupt
    assert noted.read_text() == switch_text(Switch("0.2.0", "0.3.0"))


def test_the_release_before_has_none_to_go_back_to(noted: Path) -> None:
    with pytest.raises(DeploymentFailed, match="no room"), switching.undone_where_it_fails("0.2.0"):
        raise DeploymentFailed("no room")


def test_a_deploy_of_the_release_that_runs_just_fails(noted: Path) -> None:
    noted.write_text("")
    with pytest.raises(DeploymentFailed, match="no room"), switching.undone_where_it_fails("0.3.0"):
        raise DeploymentFailed("no room")


def test_an_undone_switch_ends_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeploymentFailed, match=r"0\.2\.0 runs again, 0\.3\.0 did not do: no module"):
        switching.say_end_of_switch(Switch("0.2.0", "0.3.0", reason="no module"), "0.2.0")
    switching.say_end_of_switch(Switch("0.2.0", "0.3.0"), "0.2.0")
    assert "was broken off, and is undone: 0.2.0 runs" in capsys.readouterr().out
    switching.say_end_of_switch(Switch("0.2.0", "0.3.0"), "0.3.0")
    assert capsys.readouterr().out == "captchad 0.3.0 runs; 0.2.0 is kept for `captchad upgrade --rollback`\n"
