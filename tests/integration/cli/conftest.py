"""The command line in processes of its own, beside a real gateway on a real Redis."""

import json
import os
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.ports import find_free_port

CAPTCHAD = (sys.executable, "-m", "captchad")
TARGETS = [{"host": "localhost", "ports": [8090], "allow_private_addresses": True}]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path, redis_url: str) -> dict[str, str]:
    """An environment with an empty Redis, one declared target and a folder of its own."""
    file = tmp_path / "distributed.json"
    file.write_text(json.dumps({"security": {"targets": TARGETS}, "gateway": {"rate_limit": {"enabled": False}}}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPTCHAD_", "REDIS_"))}
    return kept | {
        "DISTRIBUTED_CONFIG_PATH": str(file),
        "REDIS_URL": redis_url,
        "CAPTCHAD_STATE_DIRECTORY": str(tmp_path / "state"),
    }


@pytest.fixture
def captchad(environment: dict[str, str]) -> Run:
    """Run one command to its end."""

    def run(*arguments: str, stdin: bytes | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run(
            [*CAPTCHAD, *arguments],
            env=environment | variables,
            input=stdin,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    return run


@pytest.fixture
def read_in_terminal(environment: dict[str, str]) -> Callable[..., str]:
    """Run one command in a terminal so many columns wide, and return what it shows."""

    def run(*arguments: str, columns: int) -> str:
        outside, inside = os.openpty()
        termios.tcsetwinsize(inside, (24, columns))
        try:
            command = [*CAPTCHAD, *arguments]
            subprocess.run(command, env=environment, stdin=inside, stdout=inside, timeout=PATIENCE_SECONDS, check=True)
            return os.read(outside, 65_536).decode()
        finally:
            os.close(inside)
            os.close(outside)

    return run


@pytest.fixture
def gateway(environment: dict[str, str]) -> Iterator[str]:
    """Start a gateway; every command of the test calls it."""
    port = find_free_port()
    with subprocess.Popen(
        [*CAPTCHAD, "--role=gateway", "--port", str(port), "--name", "gateway-1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        log = []
        for line in process.stdout:
            log.append(line)
            if "is ready" in line:
                break
        else:
            pytest.fail(f"the gateway ended: {''.join(log)}")
        environment["CAPTCHAD_GATEWAY_URL"] = f"http://127.0.0.1:{port}"
        yield environment["CAPTCHAD_GATEWAY_URL"]
        process.terminate()
        process.stdout.read()
