"""The commands of a deployed host, where there is none: one line, and nothing touched."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from captchad import __version__
from captchad.cli.main import run_command_line
from captchad.deployment.systemd import host, layout, lock, systemctl
from captchad.deployment.systemd.wanted import Found
from captchad.domain.errors import DeploymentFailed

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/deploy-distributed.sh"
ADVICE = "captchad: this host is not run by systemd; `captchad up` runs everything without it\n"


@pytest.fixture(autouse=True)
def _no_systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(systemctl, "RUNNING_SYSTEMD", tmp_path / "absent")
    monkeypatch.setenv("CAPTCHAD_STATE_DIRECTORY", str(tmp_path))


@pytest.mark.parametrize(
    "line",
    [
        "deploy",
        "deploy --dry-run",
        "undeploy --purge",
        "upgrade",
        "upgrade --to 0.3.0 --dry-run",
        "upgrade --rollback",
        "scale worker 2",
        "start",
        "stop",
        "restart api-gateway",
    ],
)
def test_without_systemd_it_is_said_in_one_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(line.split()) == 1
    assert capsys.readouterr() == ("", ADVICE)


def test_without_root_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(systemctl, "RUNNING_SYSTEMD", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run_command_line(["deploy"]) == 1
    assert capsys.readouterr().err == "captchad: only root may change units of systemd: run it again with sudo\n"


def test_the_last_worker_is_not_scaled_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["scale", "worker", "0"]) == 2
    assert "captchad stop worker" in capsys.readouterr().err


def test_a_way_back_leads_to_the_release_before_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["upgrade", "--rollback", "--to", "0.1.0"]) == 2
    assert "it does not go with --to" in capsys.readouterr().err


def write_log(folder: Path, name: str, *lines: dict[str, str]) -> None:
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_logs_of_up_are_shown_in_the_order_of_their_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = {"level": "info", "node": "n"}
    write_log(tmp_path, "gateway.log", {"time": "2026-01-01T00:00:02Z", "message": "second", **head})
    write_log(
        tmp_path,
        "worker-1.log",
        {"time": "2026-01-01T00:00:01Z", "message": "first", **head},
        {"time": "2026-01-01T00:00:03Z", "message": "third", "level": "error", "node": "n", "task_id": "task_9"},
    )
    assert run_command_line(["logs"]) == 0
    assert [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()] == [
        "first",
        "second",
        "third task_id=task_9",
    ]
    for options in (["--level", "error"], ["--task", "task_9"], ["--since", "2026-01-01T00:00:03Z"]):
        assert run_command_line(["logs", *options]) == 0
        assert capsys.readouterr().out == "2026-01-01T00:00:03Z ERROR   n: third task_id=task_9\n"
    assert run_command_line(["logs", "api-gateway"]) == 0
    assert capsys.readouterr().out.endswith("second\n")


def test_a_service_without_a_log_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["logs", "nginx"]) == 1
    assert "there are no logs of 'nginx' in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("service", "messages"),
    [
        ("worker-node", ["of 1", "of 12"]),
        ("worker", ["of 1", "of 12"]),
        ("worker-node-1", ["of 1"]),
        ("worker-12", ["of 12"]),
        ("redis-master", ["of redis"]),
    ],
)
def test_logs_of_up_go_by_the_guides_names_too(
    service: str, messages: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("worker-1", "worker-12", "redis"):
        line = {"time": "2026-01-01T00:00:01Z", "message": f"of {name.removeprefix('worker-')}", "level": "info"}
        write_log(tmp_path, f"{name}.log", line)
    assert run_command_line(["logs", service]) == 0
    assert [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()] == messages


def test_sentinel_is_the_hosts_own_service(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sentinel = "redis-sentinel.service"
    there = {sentinel: systemctl.UnitState(sentinel, "active", "running", True, False, 0, "", 0.0)}
    monkeypatch.setattr(systemctl, "read_units", lambda units: {unit: there[unit] for unit in units if unit in there})
    assert host.find_named("redis-sentinel", ["captchad-gateway.service"]) == (sentinel,)
    there.clear()
    with pytest.raises(DeploymentFailed, match="there is no service 'redis-sentinel'"):
        host.find_named("redis-sentinel", ["captchad-gateway.service"])


@pytest.fixture
def bare_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host whose folders are all below this one, with nothing in them."""
    monkeypatch.setattr(systemctl, "RUNNING_SYSTEMD", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    # As a process that holds nothing yet, and without a trace of what this one takes.
    monkeypatch.setenv(lock.HELD, "")
    monkeypatch.delenv(lock.HELD)
    monkeypatch.setattr(host, "look", Found)
    for name in ("PROGRAM_FOLDER", "COMMAND", "CONFIGURATION_FOLDER"):
        monkeypatch.setattr(layout, name, str(tmp_path / name))
    for name in ("STATE_FOLDERS", "STATE_LINKS"):
        monkeypatch.setattr(layout, name, (str(tmp_path / name), str(tmp_path / f"{name}-redis")))
    return tmp_path


@pytest.mark.parametrize("line", ["undeploy", "undeploy --purge", "undeploy --purge --backups"])
def test_where_nothing_is_deployed_there_is_nothing_to_remove(
    line: str, bare_host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(line.split()) == 1
    assert capsys.readouterr().err == "captchad: captchad is not deployed on this host: there is nothing to remove\n"


def test_a_purge_names_what_it_takes_and_keeps_the_backups_until_they_are_named(
    bare_host: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, redis = map(Path, layout.STATE_FOLDERS)
    for file in (state / "labels/one", state / "backups/one.backup", redis / "appendonly", redis / "more"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")
    tasks = f"{layout.STATE_LINKS[1]}: tasks, results, API keys and the audit log, 2 files, 10 bytes, is removed"
    rest = "labels, models and whatever else the services have kept, 1 file, 5 bytes, is removed"
    backups = f"{layout.STATE_LINKS[0]}/backups: backups, 1 file, 5 bytes, "
    kept = f"{backups}stays; --purge --backups removes that too"
    for line in ("undeploy --purge --dry-run", "undeploy --purge"):
        assert run_command_line(line.split()) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[:3] == [tasks, f"{layout.STATE_LINKS[0]}: {rest}", kept]
    assert [file for file in state.rglob("*") if file.is_file()] == [state / "backups/one.backup"]
    assert not redis.exists()
    assert run_command_line(["undeploy", "--purge"]) == 1
    assert run_command_line(["undeploy", "--backups"]) == 2
    capsys.readouterr()
    assert run_command_line(["undeploy", "--purge", "--backups"]) == 0
    assert f"{backups}is removed" in capsys.readouterr().out
    assert not state.exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("logs --since soon", "'soon' is no time since 1970"),
        ("logs --since 999999d", "'999999d' is no time since 1970"),
        ("logs -n 99999999999999999999", "is not in the range"),
        ("deploy --join=", "it is empty"),
        ("deploy --allow=", "does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_what_can_not_be_meant_is_wrong_usage(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(line.split()) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert said in error


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        ("", ["--lines=200"]),
        ("-n 7", ["--lines=7"]),
        # What is chosen afterwards must be read whole; with --since, journalctl's lines would be the first ones.
        ("-n 7 --level error", []),
        ("-n 7 --since 2026-01-01T00:00:00Z", ["--since=@1767225600"]),
    ],
)
def test_no_more_of_the_journal_is_read_than_is_shown(
    options: str, bounds: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []

    def journal_command(units: Sequence[str], arguments: Sequence[str]) -> list[str]:
        asked.append(list(arguments))
        return ["true"]

    gateway = systemctl.UnitState("captchad-gateway.service", "active", "running", True, False, 0, "", 0.0)
    monkeypatch.setattr(systemctl, "is_running", lambda: True)
    monkeypatch.setattr(systemctl, "read_units", lambda: {gateway.name: gateway})
    monkeypatch.setattr(systemctl, "journal_command", journal_command)
    assert run_command_line(["logs", *options.split()]) == 0
    assert (asked, capsys.readouterr().err) == ([bounds], "")


def test_the_monitors_address_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["monitor"]) == 0
    assert capsys.readouterr().out == "http://127.0.0.1:9090\n"


def test_the_version_of_the_command_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["captchad"] == __version__


def test_the_guides_script_hands_its_words_on(tmp_path: Path) -> None:
    program = tmp_path / "captchad"
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 3\n')
    program.chmod(0o755)
    done = subprocess.run(
        [SCRIPT, "scale", "worker-node", "4 5"],
        env={**os.environ, "CAPTCHAD": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("scale|worker-node|4 5|", 3)


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
@pytest.mark.usefixtures("bare_host")
def test_services_are_left_alone_while_somebody_changes_the_host(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(systemctl, "read_units", lambda: pytest.fail("not to be looked at"))
    with lock.LOCK.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run_command_line([verb, "worker"]) == 1
    assert capsys.readouterr().err == ("captchad: another captchad is changing this host; wait until it has ended\n")


@pytest.mark.usefixtures("bare_host")
def test_a_restart_starts_what_rests_before_it_restarts_what_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway, redis, worker = "captchad-gateway.service", "captchad-redis.service", "captchad-worker@1.service"
    active = {"captchad.target": "active", gateway: "inactive", redis: "inactive", worker: "active"}
    acts: list[tuple[str, tuple[str, ...]]] = []

    def read_units(units: Iterable[str] = ()) -> dict[str, systemctl.UnitState]:
        return {name: systemctl.UnitState(name, active[name], "", True, False, 0, "", 0.0) for name in units or active}

    def act(verb: str, units: Sequence[str], *, waits: bool = True) -> None:
        acts.append((verb, tuple(units)))
        active.update(dict.fromkeys(units, "active"))

    monkeypatch.setattr(systemctl, "read_units", read_units)
    monkeypatch.setattr(systemctl, "act", act)
    assert run_command_line(["restart"]) == 0
    assert acts == [
        ("start", ("captchad-gateway.socket",)),
        ("start", (gateway, redis, "captchad.target")),
        ("restart", (worker,)),
    ]
    assert f"{worker} is ready" in capsys.readouterr().out
