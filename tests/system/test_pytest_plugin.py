"""The pytest plugin as its users have it: a pytest of their own, with docs/testing.md's page and tests."""

import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import find_free_port
from tests.processes import await_ends, list_descendants

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "testing"
GONE_SECONDS = 50.0
"""How soon a fleet must be gone whose session was killed: ten times what it takes when all is quiet."""

# In the place of pytest-playwright's.
PAGE = """

@pytest.fixture
def page():
    from playwright.sync_api import sync_playwright

    from captchad.browser.launch.executable import find_executable

    with sync_playwright() as playwright:
        executable = find_executable(None, playwright.chromium.executable_path)
        with playwright.chromium.launch(executable_path=executable) as browser:
            yield browser.new_page()
"""

TARGETS = """

@pytest.fixture(scope="session")
def captchad_targets(site):
    return [site]
"""
WORKER_TEST = """
def test_the_worker_logs_in_and_hands_its_session_on(site, captchad, page):
    fill = {"input": "[name=code]", "submit": "button", "success": "text:Welcome"}
    solution = captchad.solve(site, fill=fill, return_session=True)
    assert solution.verified
    state = captchad.storage_state(solution)
    assert page.context.browser.new_context(storage_state=state).storage_state() == state
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the guide's page and tests."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from testing_guide import GUIDE, read_steps, write_files  # noqa: PLC0415

    folder = tmp_path / "project"
    folder.mkdir()
    steps = read_steps(GUIDE.read_text(encoding="utf-8"))
    assert {"test_login.py", "test_requests.py", "test_reading.py"} <= set(write_files(folder, steps))
    with (folder / "conftest.py").open("a") as conftest:
        conftest.write(PAGE)
    return folder


def start_pytest(
    project: Path, *arguments: str, before: tuple[str, ...] = (), **variables: str
) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPTCHAD_", "PYTEST_"))}
    # Where captchad is installed from a checkout of another day, its entry points may lack the plugin.
    is_entry = any(one.name == "captchad" for one in importlib.metadata.entry_points(group="pytest11"))
    plugin = () if is_entry else ("-p", "captchad.testing.plugin")
    return subprocess.Popen(
        [
            *before,
            sys.executable,
            "-m",
            "pytest",
            "-v",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
            *plugin,
            *arguments,
        ],
        cwd=project,
        env=kept | {"PYTHONPATH": str(ROOT)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_guides_tests_are_green_and_leave_nothing_behind(project: Path) -> None:
    with (project / "conftest.py").open("a") as conftest:
        conftest.write(TARGETS)
    (project / "test_worker.py").write_text(WORKER_TEST)
    run = start_pytest(project, "test_login.py", "test_requests.py", "test_reading.py", "test_worker.py")
    fleet = wait_until(lambda: list_descendants(run.pid), "the fleet to start")
    output, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, output
    assert "4 passed" in output
    assert [one for one in fleet if one.is_running()] == []


def test_a_killed_session_takes_its_fleet_along_whatever_its_tests_have_forked(project: Path) -> None:
    (project / "test_long.py").write_text(
        """
import os, time

def test_long(captchad):
    forked = os.fork()
    if forked:
        print("forked", forked, flush=True)
    time.sleep(600)
"""
    )
    run = start_pytest(project, "-s", "test_long.py")
    assert run.stdout is not None
    forked = next(int(line.split()[-1]) for line in run.stdout if "forked " in line)
    fleet = [one for one in list_descendants(run.pid) if one.pid != forked]
    assert len(fleet) >= 6
    run.send_signal(signal.SIGKILL)
    run.wait()
    left = await_ends(fleet, GONE_SECONDS)
    os.kill(forked, signal.SIGKILL)
    run.communicate()
    assert left == []


def test_targets_are_what_the_tests_name_and_nothing_else(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\ncaptchad_targets = http://127.0.0.1:9\naddopts = --strict-markers\n")
    (project / "test_targets.py").write_text(
        """
import pytest
from captchad.client import errors

@pytest.mark.captchad("http://localhost:7/login")
def test_named(captchad):
    captchad.cancel(captchad.submit("http://localhost:7/"))
    captchad.cancel(captchad.submit("http://127.0.0.1:9/"))

def test_others(captchad):
    for url in ("http://127.0.0.1:10/", "https://example.com/"):
        with pytest.raises(errors.TargetNotAllowed, match="security.targets — .*`captchad_targets`"):
            captchad.submit(url)
"""
    )
    output, _ = (run := start_pytest(project, "test_targets.py")).communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, output


def test_a_target_that_is_not_on_this_machine_is_refused_before_anything_starts(project: Path) -> None:
    (project / "test_far.py").write_text(
        "import pytest\n\n@pytest.mark.captchad('https://example.com/')\ndef test_far(captchad):\n    pass\n"
    )
    output, _ = (run := start_pytest(project, "test_far.py")).communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode != 0
    assert "https://example.com/ is not on this machine" in output
    assert "set CAPTCHAD_GATEWAY_URL" in output


def test_a_named_gateway_is_joined_and_no_fleet_started(project: Path) -> None:
    (project / "test_joined.py").write_text(
        "def test_joined(captchad):\n    assert captchad.url == 'http://127.0.0.1:1'\n"
    )
    run = start_pytest(project, "test_joined.py", CAPTCHAD_GATEWAY_URL="http://127.0.0.1:1")
    output, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, output


def test_the_same_tests_are_green_beside_a_fleet_that_they_share(project: Path, tmp_path: Path) -> None:
    target = {"host": "127.0.0.1", "allow_private_addresses": True}
    (project / "distributed.json").write_text(json.dumps({"security": {"targets": [target]}}))
    ports = (f"--{role}-port={find_free_port()}" for role in ("gateway", "scheduler", "monitor"))
    up = (sys.executable, "-m", "captchad", "up", "--workers=1", "--config=distributed.json", *ports, "--")
    state = {"XDG_STATE_HOME": str(tmp_path)}
    run = start_pytest(project, "-n", "2", "test_login.py", "test_requests.py", before=up, **state)
    output, _ = run.communicate(timeout=PATIENCE_SECONDS)
    assert run.returncode == 0, output
    assert "2 passed" in output
    assert "up at" in output


def test_a_run_that_asks_for_nothing_loads_next_to_nothing(project: Path) -> None:
    (project / "test_modules.py").write_text(
        "import sys\n\ndef test_modules():\n    print('loaded', *(one for one in sys.modules if 'captchad' in one))\n"
    )
    output, _ = start_pytest(project, "-s", "--noconftest", "test_modules.py").communicate(timeout=PATIENCE_SECONDS)
    found = re.search(r"loaded (.*)", output)
    assert found, output
    loaded = {name for name in found[1].split() if not name.startswith("__")}
    assert "captchad.testing.plugin" in loaded
    domain = {name for name in loaded if name.startswith("captchad.domain")}
    assert loaded - domain == {"captchad", "captchad.testing", "captchad.testing.plugin"}
    assert len(domain) < 6
