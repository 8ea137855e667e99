"""The wheel with its base alone: the client's commands work, the others say what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from captchad.cli.commands import COMMANDS
from tests.system.fleet import run_fleet
from tests.wheel import build_wheel

INSTALL_TIMEOUT_SECONDS = 300
COMMAND_TIMEOUT_SECONDS = 60
pytestmark = pytest.mark.timeout(2 * INSTALL_TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed `captchad`, in a virtual environment that has nothing else."""
    folder = tmp_path_factory.mktemp("light")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=INSTALL_TIMEOUT_SECONDS)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    wheel = str(build_wheel(folder))
    subprocess.run([*pip, wheel], check=True, timeout=INSTALL_TIMEOUT_SECONDS)
    return folder / "venv" / "bin" / "captchad"


def run(program: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # Away from the checkout, whose own packages must not be found.
    return subprocess.run(
        [str(program), *arguments],
        cwd=program.parent,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
        check=False,
    )


def test_the_help_comes_without_any_extra(program: Path) -> None:
    done = run(program, "--help")
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("recognise x.png", "reading pictures needs the extra `worker`: pip install 'captchad[worker]'"),
        ("evaluate .", "reading pictures needs the extra `worker`: pip install 'captchad[worker]'"),
        ("train . --out m.onnx", "training a model needs the extra `train`: pip install 'captchad[train]'"),
        ("up", "running all roles needs the extra `worker`: pip install 'captchad[worker]'"),
        ("demo", "the demo needs the extra `demo`: pip install 'captchad[demo]'"),
        ("keys list", "reaching Redis needs the extra `server`: pip install 'captchad[server]'"),
        ("--role=gateway", "the role gateway needs the extra `server`: pip install 'captchad[server]'"),
        ("--role=worker", "the role worker needs the extra `worker`: pip install 'captchad[worker]'"),
    ],
)
def test_a_command_names_the_extra_it_lacks_in_one_line(program: Path, arguments: str, line: str) -> None:
    done = run(program, *arguments.split())
    hint = f"captchad: {line} --find-links FOLDER, where its wheel is\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", hint)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_commands_help_comes_without_its_extra(program: Path, name: str) -> None:
    done = run(program, name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: captchad {name} ")
    assert done.stderr == ""


def test_the_services_of_a_host_without_any_are_shown(program: Path) -> None:
    done = run(program, "status")
    # A table of what runs on this machine meanwhile, or that nothing does.
    assert done.returncode in {0, 1}
    assert done.stdout.startswith("ROLE ") or "`captchad up`" in done.stderr


def test_the_client_needs_nothing_but_the_standard_library(program: Path) -> None:
    code = (
        "import sys; from captchad.client import AsyncCaptchad, Captchad; from captchad.testing import storage_state; "
        "roots = {name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names; print(*sorted(roots))"
    )
    done = run(program.with_name("python"), "-I", "-c", code)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"__main__", "_distutils_hack", "captchad", "distutils-precedence"}


async def test_a_task_is_submitted_shown_and_cancelled(program: Path, tmp_path: Path, redis_url: str) -> None:
    async with run_fleet(tmp_path, redis_url, "gateway") as fleet:
        gateway = ("--gateway", fleet.gateway_url)
        submitted = run(program, "submit", fleet.site.url("one"), *gateway)
        assert submitted.returncode == 0, submitted.stderr
        task_id = submitted.stdout.strip()
        assert task_id.startswith("task_")
        assert "pending" in run(program, "status", task_id, *gateway).stdout
        for command in ("stats", "workers", "queue"):
            done = run(program, command, *gateway)
            assert done.returncode == 0, done.stderr
        assert run(program, "cancel", task_id, *gateway).stdout == f"{task_id} is cancelled\n"
        assert (await fleet.status(task_id))["status"] == "cancelled"
