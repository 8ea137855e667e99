"""What `captchad doctor --fix` does by itself, what it asks for, and what it leaves alone."""

import json
import os
import shutil
from pathlib import Path

import pytest

from captchad.cli.doctor import command, machine
from captchad.cli.doctor.finding import CheckStatus, Finding, Mend, bad
from captchad.cli.doctor.mends import Outcome, apply_mends, install
from captchad.cli.main import run_command_line
from captchad.config.loader import examine_configuration

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "captchad"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    return folder


def test_a_state_folder_that_others_can_enter_is_closed(state: Path) -> None:
    finding = machine.check_state_directory(state)
    assert (finding.status, finding.fix) == (CheckStatus.WARN, f"chmod 700 {state}")
    (mended,) = apply_mends([finding], None)
    assert mended.outcome is Outcome.DONE
    assert state.stat().st_mode & 0o777 == 0o700
    assert machine.check_state_directory(state).status is CheckStatus.OK


def test_a_folder_of_another_name_is_left_alone(state: Path) -> None:
    elsewhere = state.rename(state.with_name("shared"))
    finding = machine.check_state_directory(elsewhere)
    assert (finding.status, finding.mend) == (CheckStatus.OK, None)


def test_somebody_elses_folder_is_left_alone(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: state.stat().st_uid + 1)
    assert machine.check_state_directory(state).mend is None


def judge(path: Path) -> Finding:
    (finding,) = (one for one in command._judge_configuration(examine_configuration(str(path), {})))
    return finding


def test_a_named_configuration_that_is_missing_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "distributed.json"
    finding = judge(path)
    assert finding.found == f"{path} is not there"
    assert [one.outcome for one in apply_mends([finding], None)] == [Outcome.DONE]
    assert judge(path).status is CheckStatus.OK
    # Somebody else was quicker.
    (again,) = apply_mends([finding], None)
    assert again.outcome is Outcome.FAILED
    assert again.reason.endswith("is there already; --force replaces it")


def test_a_wrong_configuration_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "distributed.json"
    path.write_text('{"worker": 1}')
    assert judge(path).mend is None
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere.json")
    assert judge(tmp_path / "link.json").mend is None


def make_installing(done: list[str]) -> Finding:
    return bad(
        "fonts", "none installed", "fix", Mend("apt-get install x", lambda: done.append("x"), needs_consent=True)
    )


@pytest.mark.parametrize(
    ("answer", "outcome", "installed"),
    [(None, Outcome.NOT_ASKED, []), (False, Outcome.DECLINED, []), (True, Outcome.DONE, ["x"])],
)
def test_nothing_is_installed_without_a_yes(answer: bool | None, outcome: Outcome, installed: list[str]) -> None:
    done: list[str] = []
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return bool(answer)

    (mended,) = apply_mends([make_installing(done)] * 2, None if answer is None else ask)
    assert (mended.outcome, done) == (outcome, installed)
    assert questions == ([] if answer is None else ["fonts: none installed. Run `apt-get install x`?"])


def test_only_root_with_apt_is_offered_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    offered = install("fonts-liberation")
    assert offered is not None
    assert offered.needs_consent
    assert offered.does == "apt-get install -y --no-install-recommends fonts-liberation"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install("fonts-liberation") is None


def test_a_command_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "apt-get"
    program.write_text("#!/bin/sh\nexit 100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (mended,) = apply_mends([bad("fonts", "none", "fix", install("x"))], lambda _: True)
    assert (mended.outcome, mended.reason) == (Outcome.FAILED, "exit code 100")


def test_the_command_fixes_says_so_and_checks_anew(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(command, "check_browser", lambda _: [])
    monkeypatch.setattr(command, "check_fonts", lambda: make_installing([]))
    monkeypatch.setattr(command, "check_ports", list)
    monkeypatch.setenv("CAPTCHAD_STATE_DIRECTORY", str(state))
    arguments = ["doctor", "--fix", "--config", str(tmp_path / "distributed.json")]
    assert run_command_line(arguments) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("configuration: fixed (captchad config init ")
    assert lines[1] == f"state folder: fixed (chmod 700 {state})"
    assert lines[2] == "fonts: would run `apt-get install x`, but asks first, on a terminal"
    assert any(line.startswith("ok    state folder") for line in lines[3:])
    assert run_command_line([*arguments, "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert [(one["subject"], one["outcome"]) for one in printed["mends"]] == [("fonts", "not asked")]
    assert {one["status"] for one in printed["findings"] if one["subject"] == "state folder"} == {"ok"}
