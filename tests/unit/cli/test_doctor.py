import resource
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from captchad.cli.doctor import browser, machine
from captchad.cli.doctor.finding import Verdict
from captchad.cli.doctor.ports import check_port
from captchad.config.sections import Configuration
from captchad.domain.node import Role

MEBIBYTE = 1_048_576


@pytest.mark.parametrize(("size", "verdict"), [(64, Verdict.WARN), (256, Verdict.OK)])
def test_little_shared_memory_is_doubtful(monkeypatch: pytest.MonkeyPatch, size: int, verdict: Verdict) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=size * MEBIBYTE))
    assert machine.check_shared_memory().verdict is verdict


def test_no_shared_memory_is_doubtful(tmp_path: Path) -> None:
    assert machine.check_shared_memory(tmp_path / "missing").verdict is Verdict.WARN


def test_fonts_are_counted(tmp_path: Path) -> None:
    assert machine.check_fonts((tmp_path,)).verdict is Verdict.WARN
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.TTF").touch()
    assert machine.check_fonts((tmp_path,)).found == "1 font file(s)"


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(100, Verdict.FAIL), (512, Verdict.WARN), (1024, Verdict.OK), (resource.RLIM_INFINITY, Verdict.OK)],
)
def test_few_open_files_are_a_failure_or_doubtful(limit: int, verdict: Verdict) -> None:
    assert machine.check_open_files(limit).verdict is verdict


@pytest.mark.parametrize(("free", "verdict"), [(100, Verdict.FAIL), (500, Verdict.WARN), (2000, Verdict.OK)])
def test_a_full_disk_is_a_failure_or_doubtful(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, verdict: Verdict
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free * MEBIBYTE))
    assert machine.check_state_directory(tmp_path / "not" / "there" / "yet").verdict is verdict


def test_a_port_in_use_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        holder.settimeout(0)
        port = holder.getsockname()[1]
        finding = check_port(port, Role.WORKER)
    assert finding.verdict is Verdict.WARN
    assert "python" in finding.found or "pytest" in finding.found
    assert check_port(port, Role.GATEWAY).verdict is Verdict.OK


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
    assert (finding.verdict, finding.found) == (Verdict.FAIL, reason)
