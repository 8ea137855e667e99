"""The units we ship: accepted by systemd's own tool, hardened alike, and true to the settings they depend on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from captchad.config.settings import WorkerSection
from captchad.deployment.systemd.unit_files import list_services, list_unit_files
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, ROLE_PORTS
from tests.unit.deployment.systemd.host_model import want

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
WORKER = "captchad-worker@.service"
BROWSER = "captchad-browser@.service"
WITH_A_BROWSER = (WORKER, BROWSER)
LEARN, BACKUP, REDIS = "captchad-learn.service", "captchad-backup.service", "captchad-redis.service"
SOCKETS = sorted(path.name for path in UNITS.glob("*.socket"))
ROLES = [name for name in SERVICES if name not in (BROWSER, LEARN, BACKUP, REDIS)]
PROGRAM = "opt/captchad/current/bin/captchad"
SYSTEM_UNITS = Path("/usr/lib/systemd/system")
TARGETS_NEEDED = ("sysinit", "basic", "shutdown", "network-online", "multi-user", "timers", "time-set", "time-sync")
ABOUT_THE_ROLE = {"Description", "ExecStart", "Environment", "OOMPolicy", "DefaultInstance"}
RELAXED_FOR_THE_BROWSER = {
    ("RestrictNamespaces", "user pid net"),
    ("SystemCallFilter", "@system-service chroot"),
}
EXPOSURE_LIMIT = dict.fromkeys(WITH_A_BROWSER, 2.2)
EXPOSURE_LIMIT_ELSEWHERE = 1.7


def read_settings(name: str) -> set[tuple[str, str]]:
    lines = (UNITS / name).read_text().splitlines()
    return {(key, value) for key, _, value in (line.partition("=") for line in lines if "=" in line and line[0] != "#")}


def read_sandboxing(name: str) -> set[tuple[str, str]]:
    """Return the settings from the unit's user on."""
    lines = (UNITS / name).read_text().partition("DynamicUser")[2].partition("[Install]")[0].splitlines()
    return {(key, value) for key, _, value in (line.partition("=") for line in lines[1:] if "=" in line)}


@pytest.fixture
def system_root(tmp_path: Path) -> Path:
    """A file tree with our units, the program they start and the targets they name."""
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(UNITS, units)
    program = tmp_path / PROGRAM
    redis = tmp_path / "opt/captchad/redis-server"
    for executable in (program, tmp_path / f"{PROGRAM}-browser", redis, tmp_path / "bin/kill"):
        executable.parent.mkdir(parents=True, exist_ok=True)
        executable.write_text("#!/bin/sh\n")
        executable.chmod(0o755)
    for target in TARGETS_NEEDED:
        shutil.copy(SYSTEM_UNITS / f"{target}.target", units)
    return tmp_path


def test_systemd_finds_nothing_to_complain_of(system_root: Path) -> None:
    names = [
        "captchad.target",
        *(name.replace("@.", "@1.") for name in SERVICES),
        *SOCKETS,
        "captchad-learn.timer",
        "captchad-backup.timer",
    ]
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={system_root}", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_broken_unit_would_have_been_noticed(system_root: Path) -> None:
    (system_root / PROGRAM).unlink()
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={system_root}", "--man=no", "captchad-gateway.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "is not executable" in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_break_in_could_reach_stays_small(name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None
    assert float(found.group(1)) <= EXPOSURE_LIMIT.get(name, EXPOSURE_LIMIT_ELSEWHERE)


def test_every_role_has_a_unit_that_the_target_starts() -> None:
    target = (UNITS / "captchad.target").read_text()
    for role in Role:
        name = WORKER if role is Role.WORKER else f"captchad-{role}.service"
        assert f"--role={role}" in (UNITS / name).read_text()
        assert name.replace("@.", "@1.") in target
    assert len(ROLES) == len(Role)


@pytest.mark.parametrize("browser", WITH_A_BROWSER)
@pytest.mark.parametrize("name", [name for name in SERVICES if name not in (*WITH_A_BROWSER, REDIS)])
def test_a_unit_with_a_browser_differs_in_exactly_two_directives_of_its_sandbox(browser: str, name: str) -> None:
    worker, other = read_sandboxing(browser), read_sandboxing(name)
    assert worker - other == RELAXED_FOR_THE_BROWSER
    assert other - worker == {("RestrictNamespaces", "yes"), ("SystemCallFilter", "@system-service")}


@pytest.mark.parametrize("name", ROLES)
def test_a_role_differs_from_the_others_in_its_own_settings_alone(name: str) -> None:
    here, worker = read_settings(name), read_settings(WORKER)
    relaxed = {key for key, _ in RELAXED_FOR_THE_BROWSER}
    assert {key for key, _ in here ^ worker} <= ABOUT_THE_ROLE | relaxed


def test_the_browser_node_is_watched_and_ends_with_all_its_processes() -> None:
    settings = dict(read_settings(BROWSER))
    assert (settings["Type"], settings["KillMode"]) == ("notify", "mixed")
    assert float(settings["WatchdogSec"]) > 0


@pytest.mark.parametrize("name", ROLES)
def test_a_stop_leaves_time_to_drain(name: str) -> None:
    settings = dict(read_settings(name))
    assert float(settings["TimeoutStopSec"]) >= 2 * WorkerSection().drain_seconds
    assert settings["Type"] == "notify"
    assert settings["NotifyAccess"] == "main"
    assert float(settings["WatchdogSec"]) > 0
    assert "HUP" in settings["ExecReload"]


def test_redis_has_no_network_at_all() -> None:
    settings = read_settings(REDIS)
    assert {("PrivateNetwork", "yes"), ("RestrictAddressFamilies", "AF_UNIX"), ("Restart", "always")} <= settings


@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_holds_the_port_of_its_role_on_loopback(name: str) -> None:
    role = Role(name.removeprefix("captchad-").removesuffix(".socket"))
    assert ("ListenStream", f"{LOOPBACK_HOST}:{ROLE_PORTS[role]}") in read_settings(name)


@pytest.mark.parametrize(("name", "command"), [(LEARN, "captchad learn --auto"), (BACKUP, "captchad backup --keep ")])
def test_a_timed_command_yields_to_everything_and_reaches_nothing_but_redis(name: str, command: str) -> None:
    settings = read_settings(name)
    assert {("Type", "oneshot"), ("Nice", "19"), ("CPUWeight", "idle"), ("IOSchedulingClass", "idle")} <= settings
    assert {("IPAddressDeny", "any"), ("IPAddressAllow", "localhost")} <= settings
    assert command in dict(settings)["ExecStart"]


@pytest.mark.parametrize("mode", ["single", "multi"])
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_a_deploy_adds_does_not_open_a_unit(mode: str, environment: str, tmp_path: Path) -> None:
    wanted = want(mode=mode, environment=environment, browser_nodes=1, has_own_redis=mode == "single")
    for path, text in list_unit_files(wanted).items():
        file = tmp_path / path.removeprefix("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    names = [name.replace("@.", "@1.") for name in list_services(wanted)]
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--root={tmp_path}", *names],
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(re.findall(r"exposure level for (\S+): ([\d.]+)", done.stdout))
    assert found.keys() == set(names)
    assert max(map(float, found.values())) <= max(EXPOSURE_LIMIT.values())
