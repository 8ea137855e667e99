import json
from datetime import timedelta
from pathlib import Path

import pytest

from captchad.cli.main import run_command_line
from captchad.config.settings import Configuration
from captchad.runtime.clock import Clock
from tests.unit.config import specified_files

Capture = pytest.CaptureFixture[str]
NO_TARGET = "security.targets: no target is declared, so nothing is in scope"
SITE = {"host": "127.0.0.1", "ports": [8090], "allow_private_addresses": True}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file's place, with nothing else that could be found."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "f.json"


def test_the_specifications_file_is_good_for_every_role(file: Path, capsys: Capture) -> None:
    file.write_text(specified_files.DISTRIBUTED)
    assert run_command_line(["config", "check", str(file)]) == 0
    output = capsys.readouterr()
    assert output.out == f"{file}: usable, with 1 warning\n"
    assert output.err == f"captchad: warning: {NO_TARGET}\n"


def test_what_is_neither_wrong_nor_doubtful_is_good(file: Path, capsys: Capture) -> None:
    file.write_text(json.dumps({"security": {"targets": [SITE]}}))
    assert run_command_line(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: good\n"


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (
            {"environment": "prod"},
            "security.api_key_required: no role will start: in production without API keys",
        ),
        ({"redis": {"cluster": {"hosts": ["a:1"]}}}, "redis.cluster: no role will start: Redis Cluster is not"),
        ({"gateway": {"processes": 2}}, "gateway.processes: the gateway will not start: more than one process"),
        (
            {"recognition": {"models": {"127.0.0.1": "/missing.onnx"}}},
            "recognition.models.127.0.0.1: the worker will not start: /missing.onnx can't be read: no such file",
        ),
        (
            {"browser": {"executable": "/missing"}},
            "browser.executable: the worker will not start: /missing is no program",
        ),
        (
            {"browser": {"proxy_host": "192.0.2.1"}},
            "browser.proxy_host: the worker will not start: this machine can't listen on 192.0.2.1: ",
        ),
    ],
)
def test_what_a_role_would_refuse_is_an_error(file: Path, capsys: Capture, tree: dict[str, object], line: str) -> None:
    file.write_text(json.dumps({"security": {"targets": [SITE]}} | tree))
    assert run_command_line(["config", "check", str(file)]) == 1
    output = capsys.readouterr()
    assert output.err.startswith(f"captchad: {line}")
    assert "good" not in output.out
    assert run_command_line(["config", "check", str(file), "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["valid"]


def test_a_model_that_is_none_is_an_error(file: Path, capsys: Capture) -> None:
    model = file.with_name("model.onnx")
    model.write_bytes(b"no model at all")
    file.write_text(json.dumps({"recognition": {"models": {"127.0.0.1": str(model)}}, "security": {"targets": [SITE]}}))
    assert run_command_line(["config", "check", str(file)]) == 1
    assert f"the worker will not start: {model} can't be loaded as a model of captchad" in capsys.readouterr().err


def test_a_machine_without_workers_is_checked_for_its_own_roles_alone(file: Path, capsys: Capture) -> None:
    models = {"127.0.0.1": "/missing.onnx"}
    file.write_text(json.dumps({"recognition": {"models": models}, "security": {"targets": [SITE]}}))
    assert run_command_line(["config", "check", str(file), "--role", "gateway", "--role", "scheduler"]) == 0
    assert run_command_line(["config", "check", str(file), "--role", "worker"]) == 1


def test_a_private_target_that_is_not_opened_is_not_good(file: Path, capsys: Capture) -> None:
    file.write_text(json.dumps({"security": {"targets": [{"host": "127.0.0.1", "ports": [8090]}]}}))
    assert run_command_line(["config", "check", str(file)]) == 0
    output = capsys.readouterr()
    assert "its pages are refused: 127.0.0.1 is a private address" in output.err
    assert output.out == f"{file}: usable, with 1 warning\n"


def test_every_error_is_a_line(file: Path, capsys: Capture) -> None:
    file.write_text('{"worker": {"task_timeout": 0, "batch_sise": 1}}')
    assert run_command_line(["config", "check", str(file)]) == 1
    assert set(capsys.readouterr().err.splitlines()) == {
        f"captchad: worker.task_timeout: must be at least 1, not 0 ({file})",
        f"captchad: worker.batch_sise: unknown key; the nearest known one is worker.batch_size ({file})",
    }


def test_what_is_wrong_and_what_a_role_would_refuse_come_at_once(file: Path, capsys: Capture) -> None:
    targets = [
        {"host": "10.0.0.0/8", "ports": [0, 443]},
        {"ports": [1]},
        {"host": "http://a.example", "expires": "soon"},
    ]
    tree = {
        "environment": "prod",
        "redis": {"url": "nonsense", "cluster": {"hosts": ["a:1"]}},
        "gateway": {"processes": 2, "queue_limit": 0},
        "recognition": {"models": {"www.a.localhost": "/missing.onnx"}},
        "security": {"api_key_required": "yes", "targets": targets},
    }
    file.write_text(json.dumps(tree))
    assert run_command_line(["config", "check", str(file)]) == 1
    found = [line.removeprefix("captchad: ").split(": ")[0] for line in capsys.readouterr().err.splitlines()]
    assert sorted(found) == [
        "gateway.processes",
        "gateway.queue_limit",
        "recognition.models.www.a.localhost",
        "redis.cluster",
        "redis.url",
        "security.api_key_required",
        "security.targets[0].expires",
        "security.targets[0].host",
        "security.targets[0].owner",
        "security.targets[0].ports[0]",
        "security.targets[0].reference",
        "security.targets[1].host",
        "security.targets[2].expires",
        "security.targets[2].host",
        "security.targets[2].owner",
        "security.targets[2].reference",
    ]


def test_a_file_that_can_not_be_read_hides_what_it_might_say(
    file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "prod")
    file.write_text("{")
    assert run_command_line(["config", "check", str(file)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "not valid JSON" in line


def test_without_a_file_it_is_said_what_was_checked(file: Path, capsys: Capture) -> None:
    assert run_command_line(["config", "check"]) == 0
    assert capsys.readouterr().out == "no file, defaults and environment alone: usable, with 1 warning\n"


def test_a_warning_is_told_from_an_error(file: Path, capsys: Capture) -> None:
    file.write_text('{"worker": {"task_timeout": 60, "task_deadline_seconds": 30}}')
    assert run_command_line(["config", "check", str(file)]) == 0
    assert capsys.readouterr().err.startswith("captchad: warning: worker.task_timeout: is longer than ")


def test_a_certificate_is_judged_where_it_can_be_seen(
    file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    file.write_text(json.dumps({"gateway": {"tls": {"certificate": "/missing"}}}))
    assert run_command_line(["config", "check", str(file)]) == 1
    refusal = "gateway.tls.certificate: the gateway will not start: /missing can't be read: no such file or directory"
    assert refusal in "".join(capsys.readouterr())
    file.write_text(json.dumps({"gateway": {"tls": {"certificate": "@credential:gateway.pem"}}}))
    assert run_command_line(["config", "check", str(file)]) == 0
    seen = "gateway.tls.certificate: @credential:gateway.pem is a systemd credential, which the role's own unit alone"
    assert seen in "".join(capsys.readouterr())


def test_errors_come_as_json_too(file: Path, capsys: Capture) -> None:
    file.write_text("{")
    assert run_command_line(["config", "check", str(file), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["valid"]
    assert "line 1" in found["problems"][0]["message"]


def test_show_gives_every_setting_and_hides_secrets(file: Path, capsys: Capture) -> None:
    file.write_text('{"redis": {"master": {"password": "hunter2"}}}')
    assert run_command_line(["config", "show", "--config", str(file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown.keys() == Configuration.model_fields.keys()
    assert shown["redis"]["master"]["password"] == "********"
    assert run_command_line(["config", "show", "--config", str(file)]) == 0
    table = capsys.readouterr().out
    assert "hunter2" not in table
    assert "worker.task_timeout" in table


def test_diff_gives_what_differs_and_where_it_was_set(
    file: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('{"worker": {"task_timeout": 60}}')
    monkeypatch.setenv("CAPTCHAD_LOGGING__LEVEL", "debug")
    assert run_command_line(["config", "diff", "--config", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"path": "logging.level", "default": "info", "value": "debug", "source": "environment"},
        {"path": "worker.task_timeout", "default": 120, "value": 60.0, "source": "file"},
    ]


def test_a_wrong_file_fails_every_command_that_reads_it(file: Path, capsys: Capture) -> None:
    file.write_text('{"wroker": {}}')
    for line in ("config show", "config diff", "targets list", "keys list", "dead list", "health"):
        assert run_command_line([*line.split(), "--config", str(file)]) == 1
        assert "the nearest known one is worker" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "code", "reason"),
    [
        ("http://app.localhost:8090/login", 0, "covered by app.localhost, port 8090"),
        (
            "http://10.0.0.1/",
            1,
            "10.0.0.1 is a private address; declare exactly this host",
        ),
        ("http://other.localhost:8090/", 1, "other.localhost (127.0.0.1) is a private address; declare exactly"),
        ("http://[::ffff:10.0.0.2]/", 1, "is a private address"),
        ("http://app.localhost/", 1, "port 80 of app.localhost is not declared (declared: 8090"),
        ("http://a.example.com/", 1, "a.example.com is not a declared target; add it to security.targets"),
        ("file:///etc/passwd", 1, "the URL must begin with http:// or https://"),
        ("http://old.example.com/", 1, "expired on 2020-01-01; renew it"),
    ],
)
def test_a_url_is_in_scope_or_not_and_why(file: Path, capsys: Capture, url: str, code: int, reason: str) -> None:
    authority = {"owner": "o", "reference": "r"}
    in_a_month = (Clock().today() + timedelta(days=30)).isoformat()
    targets = [
        {"host": "app.localhost", "ports": [8090], "allow_private_addresses": True},
        {"host": "*.localhost", "ports": [8090]},
        {"host": "::ffff:10.0.0.2", "expires": in_a_month, **authority},
        {"host": "old.example.com", "expires": "2020-01-01", **authority},
        {"host": "10.0.0.1", "expires": in_a_month, **authority},
    ]
    file.write_text(json.dumps({"security": {"targets": targets}}))
    assert run_command_line(["targets", "check", url, "--config", str(file)]) == code
    output = capsys.readouterr()
    assert reason in output.out + output.err
