"""The configuration of a deployed host, as its units read it."""

import json
from pathlib import Path

import pytest

from captchad.cli.deployed_configuration import find_contradictions, list_decided, read_as_decided, read_as_units
from captchad.cli.main import run_command_line
from captchad.cli.wanted_host import check_rules
from captchad.config.loader import load_configuration
from captchad.deployment.systemd import configuration_files, layout
from captchad.deployment.systemd.wanted import Found, FoundFile
from captchad.domain.errors import ConfigurationError, DeploymentFailed
from tests.unit.deployment.systemd.host_model import want


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layout, "CONFIGURATION", str(tmp_path / "distributed.json"))
    # What the shell of whoever deploys exports is of no concern to the roles.
    monkeypatch.setenv("CAPTCHAD_WORKER__TASK_TIMEOUT", "1")


def lay(environment_file: str = "", **settings: object) -> Found:
    text = json.dumps({"security": {"api_key_required": True}, **settings})
    Path(layout.CONFIGURATION).write_text(text)
    files = {layout.CONFIGURATION: text, layout.ENVIRONMENT_FILE: environment_file}
    return Found({path: FoundFile(content, 0o644) for path, content in files.items()})


def test_captchads_environment_file_counts_and_this_shells_does_not() -> None:
    loaded = read_as_units(lay("REDIS_URL='redis://redis-1.example.com'\n", worker={"task_timeout": 90}))
    assert loaded.configuration.worker.task_timeout == 90
    assert loaded.configuration.redis.url is not None
    assert loaded.configuration.redis.url.get_secret_value() == "redis://redis-1.example.com"


def test_what_is_wrong_in_it_is_found_before_a_unit_finds_it() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_as_units(lay("CAPTCHAD_WORKER__TASK_TIMEOUT=soon\n"))
    assert [problem.path for problem in refused.value.problems] == ["worker.task_timeout"]


def test_a_rule_that_it_breaks_is_found() -> None:
    check_rules(want(), read_as_decided(want(), lay()))
    with pytest.raises(ConfigurationError, match="api_key_required"):
        check_rules(want(), read_as_decided(want(), lay("CAPTCHAD_SECURITY__API_KEY_REQUIRED=false\n")))


def test_a_credential_of_the_unit_can_not_be_judged_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    check_rules(want(), read_as_decided(want(), lay(gateway={"tls": {"certificate": "@credential:gateway.pem"}})))
    with pytest.raises(ConfigurationError, match=r"gateway\.tls\.certificate.*/missing can't be read"):
        check_rules(want(), read_as_decided(want(), lay(gateway={"tls": {"certificate": "/missing"}})))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ENVIRONMENT=dev", "sets environment to dev, and the units would take that instead of prod"),
        ("CAPTCHAD_DEPLOYMENT_MODE=multi", "sets deployment_mode to multi"),
        ("WORKER_NODES_COUNT=9", "sets worker_nodes_count to 9"),
    ],
)
def test_it_may_not_contradict_what_deploy_was_asked_for(line: str, said: str) -> None:
    with pytest.raises(DeploymentFailed, match=said):
        read_as_decided(want(environment="prod"), lay(line))
    found = lay("ENVIRONMENT=prod", environment="dev")
    assert read_as_decided(want(environment="prod"), found).environment == "prod"


@pytest.fixture
def _scaled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (layout, configuration_files):
        monkeypatch.setattr(module, "DEPLOYMENT", str(tmp_path / "deployment.json"))
    Path(layout.DEPLOYMENT).write_text(json.dumps({"environment": "prod", "mode": "single", "workers": 6}))


@pytest.mark.usefixtures("_scaled")
def test_the_number_of_workers_that_scale_has_set_is_shown_and_another_one_is_doubted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lay(environment="prod", worker_nodes_count=2)
    assert run_command_line(["config", "show", "--config", layout.CONFIGURATION]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["worker_nodes_count", "6", "deployment"] in rows
    assert run_command_line(["config", "show", "--config", layout.CONFIGURATION, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["worker_nodes_count"] == 6
    assert run_command_line(["config", "check", layout.CONFIGURATION]) == 0
    [said] = [line for line in capsys.readouterr().err.splitlines() if "worker_nodes_count" in line]
    assert said.startswith(
        "captchad: warning: worker_nodes_count: is 2, but this host's deployment has 6, which counts"
    )
    assert "`captchad scale worker N`, and take this out" in said


@pytest.mark.usefixtures("_scaled")
def test_what_says_the_same_or_nothing_is_not_doubted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for settings in ({}, {"environment": "prod", "worker_nodes_count": 6}):
        lay(**settings)
        assert run_command_line(["config", "check", layout.CONFIGURATION]) == 0
        assert "deployment" not in capsys.readouterr().err
    # Another configuration is no concern of the host's deployment.
    other = tmp_path / "other.json"
    other.write_text('{"worker_nodes_count": 2}')
    run_command_line(["config", "check", str(other)])
    assert "deployment" not in capsys.readouterr().err


def test_what_a_first_deploy_has_written_is_not_doubted_once_the_host_listens() -> None:
    Path(layout.CONFIGURATION).write_text(configuration_files.configuration_text(want()))
    assert find_contradictions(load_configuration(layout.CONFIGURATION, {}), list_decided(want(mode="multi"))) == []
    Path(layout.CONFIGURATION).write_text(configuration_files.configuration_text(want(mode="multi")))
    assert load_configuration(layout.CONFIGURATION, {}).configuration.deployment_mode == "multi"


def test_a_model_that_no_worker_could_load_is_refused_by_a_deploy_that_would_only_reload() -> None:
    found = lay(recognition={"models": {"localhost": "/missing.onnx"}})
    with pytest.raises(ConfigurationError, match=r"missing\.onnx can't be read"):
        check_rules(want(), read_as_decided(want(), found))
