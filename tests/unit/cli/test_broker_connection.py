import os
from pathlib import Path

import pytest

from captchad.cli import broker_connection
from captchad.cli.main import run_command_line
from captchad.config.settings import RedisMasterSection
from captchad.config.state import STATE_VARIABLE
from tests.ports import find_free_port


def test_without_any_redis_the_ways_to_one_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    monkeypatch.delenv("REDIS_URL", raising=False)
    # The machine may have a Redis at the usual port.
    master = RedisMasterSection(port=find_free_port())
    monkeypatch.setattr("captchad.config.redis_choice.RedisMasterSection", lambda: master)
    monkeypatch.setattr(broker_connection, "CONNECT_LIMIT_SECONDS", 0.5)
    assert run_command_line(["keys", "create", "ci"]) == 1
    message = capsys.readouterr().err
    assert message.startswith(f"captchad: no Redis is configured, and none answers at {master.host}:{master.port}: ")
    assert message.endswith("; start one with `captchad up`, or set redis.url — see `captchad doctor`\n")


def test_secrets_that_this_user_may_not_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{find_free_port()}")
    monkeypatch.setattr(broker_connection, "CONNECT_LIMIT_SECONDS", 0.5)
    configuration, secrets = tmp_path / "distributed.json", tmp_path / "secrets.json"
    configuration.write_text("{}")
    secrets.write_text("{}")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != secrets)
    assert run_command_line(["keys", "list", "--config", str(configuration)]) == 1
    message = f"how Redis is reached is in {secrets}, which is not readable: run it again with sudo"
    assert capsys.readouterr().err == f"captchad: {message} — see `captchad doctor`\n"


def test_secrets_that_a_unit_was_given_as_a_credential_are_not_called_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{find_free_port()}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    monkeypatch.setattr(broker_connection, "PATIENT_LIMIT_SECONDS", 0.5)
    configuration, secrets = tmp_path / "distributed.json", tmp_path / "secrets.json"
    configuration.write_text("{}")
    secrets.write_text("{}")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/secrets.json").write_text("{}")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != secrets)
    # A backup has the longer limit, too: with the short one this would take longer than it does.
    monkeypatch.setattr(broker_connection, "CONNECT_LIMIT_SECONDS", 3600.0)
    assert run_command_line(["backup", "--config", str(configuration)]) == 1
    message = capsys.readouterr().err
    assert "sudo" not in message
    assert "Redis at " in message
