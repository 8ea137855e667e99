import os
import resource
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from captchad.cli.doctor import browser, machine
from captchad.cli.doctor.finding import CheckStatus
from captchad.cli.doctor.ports import check_port
from captchad.cli.doctor.redis import check_redis
from captchad.config.loader import load_configuration
from captchad.config.settings import Configuration
from captchad.domain.node import Role

MEBIBYTE = 1_048_576


@pytest.mark.parametrize(("size", "status"), [(64, CheckStatus.WARN), (256, CheckStatus.OK)])
def test_little_shared_memory_is_doubtful(monkeypatch: pytest.MonkeyPatch, size: int, status: CheckStatus) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=size * MEBIBYTE))
    assert machine.check_shared_memory().status is status


def test_no_shared_memory_is_doubtful(tmp_path: Path) -> None:
    assert machine.check_shared_memory(tmp_path / "missing").status is CheckStatus.WARN


def test_fonts_are_counted(tmp_path: Path) -> None:
    assert machine.check_fonts((tmp_path,)).status is CheckStatus.WARN
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.TTF").touch()
    assert machine.check_fonts((tmp_path,)).found == "1 font file(s)"


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        (100, CheckStatus.FAIL),
        (512, CheckStatus.WARN),
        (1024, CheckStatus.OK),
        (resource.RLIM_INFINITY, CheckStatus.OK),
    ],
)
def test_few_open_files_are_a_failure_or_doubtful(limit: int, status: CheckStatus) -> None:
    assert machine.check_open_files(limit).status is status


@pytest.mark.parametrize(("free", "status"), [(100, CheckStatus.FAIL), (500, CheckStatus.WARN), (2000, CheckStatus.OK)])
def test_a_full_disk_is_a_failure_or_doubtful(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, status: CheckStatus
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free * MEBIBYTE))
    assert machine.check_state_directory(tmp_path / "not" / "there" / "yet").status is status


def test_a_port_in_use_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        holder.settimeout(0)
        port = holder.getsockname()[1]
        finding = check_port(port, Role.WORKER)
    assert finding.status is CheckStatus.WARN
    assert "python" in finding.found or "pytest" in finding.found
    assert check_port(port, Role.GATEWAY).status is CheckStatus.OK


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ('print(\'{"error": "no browser"}\')', "no browser"),
        ("raise SystemExit('it broke')", "the trial failed: it broke"),
        ("import time; time.sleep(60)", "the browser did not come up within 0.3 s"),
    ],
)
def test_a_trial_that_fails_breaks_or_hangs_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, reason: str
) -> None:
    (tmp_path / "trial_that_fails.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(browser, "TRIAL_MODULE", "trial_that_fails")
    if "sleep" in program:
        monkeypatch.setattr(browser, "TRIAL_LIMIT_SECONDS", 0.3)
    (finding,) = browser.check_browser(Configuration())
    assert (finding.status, finding.found) == (CheckStatus.FAIL, reason)


def test_what_root_alone_may_read_is_not_taken_for_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configuration, secrets = tmp_path / "distributed.json", tmp_path / "secrets.json"
    configuration.write_text("{}")
    secrets.write_text("{}")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != secrets)
    (finding,) = check_redis(load_configuration(str(configuration), {}))
    assert (finding.status, finding.fix) == (CheckStatus.WARN, "run it again with sudo")
    assert str(secrets) in finding.found
