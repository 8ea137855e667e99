"""`captchad up -- COMMAND`: a command beside the fleet."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.ports import find_free_port
from tests.processes import is_alive, list_descendants, read_command


def start_beside(state: Path, command: str) -> "subprocess.Popen[str]":
    ports = [f"--{role}-port={find_free_port()}" for role in ("gateway", "scheduler", "monitor")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CAPTCHAD_", "REDIS_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "captchad", "up", "--workers=1", *ports, "--", "sh", "-c", command],
        env=environment | {"CAPTCHAD_STATE_DIRECTORY": str(state)},
        cwd=state.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_command_beside_the_fleet_has_standard_output_and_the_exit_code(tmp_path: Path) -> None:
    up = start_beside(tmp_path / "state", 'curl -sf "$CAPTCHAD_GATEWAY_URL/livez" >/dev/null && echo reached; exit 7')
    output, errors = up.communicate(timeout=PATIENCE_SECONDS)
    assert (up.returncode, output) == (7, "reached\n"), errors
    assert "captchad is up at http://127.0.0.1:" in errors
    assert list_descendants(up.pid) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 5), (signal.SIGINT, 6)])
def test_a_signal_ends_the_command_while_the_fleet_still_serves(tmp_path: Path, number: int, code: int) -> None:
    # A terminal's Ctrl-C reaches the command too.
    reach = 'curl -sf "$CAPTCHAD_GATEWAY_URL/livez" >/dev/null && echo reached'
    traps = f"trap '{reach}; exit 5' TERM; trap '{reach}; exit 6' INT"
    up = start_beside(tmp_path / "state", f"{traps}; echo begun; while :; do sleep 0.1; done")
    assert up.stdout is not None
    assert up.stdout.readline() == "begun\n"
    (command,) = [one for one in list_descendants(up.pid) if read_command(one)[:2] == ["sh", "-c"]]
    if number == signal.SIGINT:
        command.send_signal(number)
    up.send_signal(number)
    output, errors = up.communicate(timeout=PATIENCE_SECONDS)
    assert (up.returncode, output) == (code, "reached\n"), errors
    assert not is_alive(command)


def test_a_command_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "captchad", "up", "--", "no-such-program"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "captchad: no-such-program is no program on this machine; see `captchad up --help`\n"
