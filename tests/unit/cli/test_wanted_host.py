"""What a host is to run: what is asked for now goes before what was asked for last."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from captchad.cli.main import run_command_line
from captchad.cli.wanted_host import want
from captchad.deployment.systemd import host, layout
from captchad.deployment.systemd.plan import plan_deploy
from captchad.deployment.systemd.steps import WriteFile
from captchad.deployment.systemd.wanted import Found, FoundFile, Joining, Release, Wanted
from captchad.domain.errors import DeploymentFailed
from captchad.domain.node import Role
from tests.unit.deployment.systemd.host_model import JOINING

RELEASE = Release("0.3.0", "abc", "/usr/bin/redis-server")
ADDRESS = "10.0.0.5"


@pytest.fixture(autouse=True)
def _address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "find_network", lambda address: f"{address.rpartition('.')[0]}.0/24")


def decide(last: Mapping[str, Any], asked: Mapping[str, Any], joining: Joining | None = None) -> Wanted:
    return want(Found(files={layout.DEPLOYMENT: FoundFile(json.dumps(last), 0o644)}), RELEASE, asked, joining)


def test_a_host_that_joins_runs_workers_alone_unless_other_roles_are_asked_for() -> None:
    assert decide({}, {}, JOINING).roles == (Role.WORKER,)
    assert decide({}, {"roles": ("gateway", "monitor")}, JOINING).roles == (Role.GATEWAY, Role.MONITOR)


def test_a_host_that_has_joined_keeps_its_roles() -> None:
    last = {"mode": "multi", "roles": ["scheduler"]}
    assert decide(last, {"workers": 3}).roles == (Role.SCHEDULER,)
    assert decide(last, {}, JOINING).roles == (Role.SCHEDULER,)
    assert decide(last, {"roles": ("worker",)}).roles == (Role.WORKER,)


def test_a_host_that_joins_has_no_redis_of_its_own_and_is_one_of_several() -> None:
    wanted = decide({"mode": "single", "listen": ADDRESS}, {}, JOINING)
    assert (wanted.has_own_redis, wanted.listening, wanted.mode) == (False, None, "multi")


def test_a_joining_that_was_broken_off_is_completed_or_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("CONFIGURATION", "SECRETS", "AUTHORITY"):
        monkeypatch.setattr(layout, name, str(tmp_path / Path(getattr(layout, name)).name))
    joining = replace(JOINING, configuration='{"security": {"api_key_required": true}}')
    asked = decide({}, {"environment": "prod"}, joining)
    written = [step for step in plan_deploy(asked, Found()) if isinstance(step, WriteFile)]
    ends = []
    for count in range(1, len(written) + 1):
        for step in written[:count]:
            if step.path.startswith(str(tmp_path)):
                Path(step.path).write_text(step.text)
        found = Found(files={step.path: FoundFile(step.text, step.mode) for step in written[:count]})
        try:
            ends.append("own Redis" if want(found, RELEASE, {}).has_own_redis else "completed")
        except DeploymentFailed as refused:
            ends.append(refused.message)
    refusals, completed = ends[: ends.index("completed")], ends[ends.index("completed") :]
    assert len(refusals) == next(n for n, step in enumerate(written) if step.path == layout.CONFIGURATION)
    assert all("repeat it, with --join" in said for said in refusals)
    assert set(completed) == {"completed"}


def test_a_host_that_listens_is_one_of_several_and_goes_on_listening() -> None:
    wanted = decide({"mode": "single"}, {"listen": ADDRESS})
    assert wanted.listening is not None
    assert (wanted.mode, wanted.listening.networks) == ("multi", ("10.0.0.0/24",))
    last = {"mode": "multi", "listen": ADDRESS, "networks": ["192.168.0.0/16"]}
    later = decide(last, {"workers": 3}).listening
    assert later is not None
    assert (later.address, later.networks) == (ADDRESS, ("192.168.0.0/16",))


def test_another_address_is_in_another_network() -> None:
    last = {"mode": "multi", "listen": ADDRESS, "networks": ["10.0.0.0/24"]}
    moved = decide(last, {"listen": "10.0.9.5"}).listening
    assert moved is not None
    assert moved.networks == ("10.0.9.0/24",)


def test_networks_are_of_no_use_without_a_redis_that_listens() -> None:
    for last, asked in (({}, {}), ({"mode": "multi", "listen": ADDRESS}, {"mode": "single"})):
        with pytest.raises(click.UsageError, match="--allow is for a Redis that listens"):
            decide(last, {**asked, "networks": ("10.0.0.0/8",)})
    later = decide({"mode": "multi", "listen": ADDRESS}, {"networks": ("10.0.0.0/8",)}).listening
    assert later is not None
    assert later.networks == ("10.0.0.0/8",)


def test_a_single_host_listens_no_longer() -> None:
    assert decide({"mode": "multi", "listen": ADDRESS}, {"mode": "single"}).listening is None


def test_an_address_that_is_not_the_hosts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(DeploymentFailed, match=r"no address '192\.0\.2\.1' to listen on; it has 127\.0\.0\.1"):
        decide({}, {"listen": "192.0.2.1"})
    assert host.find_network("127.0.0.1") == "127.0.0.0/8"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--join file --listen 10.0.0.5", "neither with --listen"),
        ("--join file -m single", "nor with -m single"),
        ("--listen 10.0.0.5 -m single", "does not go with -m single"),
        ("--ca pyproject.toml", "go with --join"),
        ("--listen alpha", "'alpha' does not appear to be an IPv4 or IPv6 address"),
        ("--listen 10.0.0.5 --allow 10.0.0.5/8", "has host bits set"),
        ("--join file --role chrome", "'chrome' is not one of"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["deploy", *line.split()]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
