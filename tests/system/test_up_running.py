"""`captchad up` goes on, whatever of it is killed, stands still, or can't write any more."""

import json
import signal
import socket
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from captchad.broker.embedded import find_socket
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.processes import await_ends, list_descendants, read_command
from tests.system.up_process import GONE_SECONDS, StartUp, UpProcess, fetch_status, wait_for_status

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class RunningUp:
    """An `up` that has come up, with the URLs that it told."""

    process: UpProcess
    state: Path
    urls: dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningUp]:
    """One `up` for all tests that leave it as whole as they found it."""
    with tempfile.TemporaryDirectory(prefix="captchad-") as folder:
        process = UpProcess(Path(folder) / "state")
        try:
            yield RunningUp(process, Path(folder) / "state", process.wait_until_up())
        finally:
            process.end()


def find_roles(up: UpProcess, role: str) -> list[psutil.Process]:
    return [one for one in up.descendants() if f"--role={role}" in read_command(one)]


@pytest.mark.parametrize("role", ["gateway", "worker"])
def test_killed_role_runs_again_at_once(running: RunningUp, role: str) -> None:
    up = running.process
    label = {"gateway": "gateway", "worker": "worker-1"}[role]
    victim = up.find_role(role)
    browsers = list_descendants(victim.pid)
    victim.kill()
    ended = up.wait_for("ended", label)
    assert ended["text"] == "killed by SIGKILL; starting it again"
    # Its tether has one too; the quiet figure is a third of a second.
    wait_until(lambda: find_roles(up, role), f"{role} to run again", GONE_SECONDS)
    assert await_ends(browsers, GONE_SECONDS) == []
    up.wait_for("ready", label)
    wait_for_status(f"{running.urls['gateway']}/readyz", 200)


def test_killed_redis_is_started_again_with_its_data(running: RunningUp) -> None:
    with redis.Redis(unix_socket_path=str(find_socket(running.state))) as client:
        client.set("kept", "x")
        psutil.Process(client.info("server")["process_id"]).kill()
    running.process.wait_for("ready", "redis")
    with redis.Redis(unix_socket_path=str(find_socket(running.state))) as client:
        assert client.get("kept") == b"x"
    wait_for_status(f"{running.urls['gateway']}/readyz", 200)


def test_full_disk_under_the_embedded_redis_is_named_and_waited_out(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up(tmp_path / "state")
    gateway = up.wait_until_up()["gateway"]
    limits = psutil.Process(up.pid)
    # To a process that ignores SIGXFSZ, as Python does, this is what a full disk is.
    limits.rlimit(psutil.RLIMIT_FSIZE, (1, psutil.RLIM_INFINITY))
    with redis.Redis(unix_socket_path=str(find_socket(tmp_path / "state"))) as client:
        psutil.Process(client.info("server")["process_id"]).kill()
    up.wait_for("ended", "redis")
    told = up.wait_for("ended", "redis")["text"]
    assert f"can't write to {tmp_path}/state/redis: File too large" in told
    limits.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    up.wait_for("ready", "redis")
    wait_for_status(f"{gateway}/readyz", 200)


def test_role_whose_event_loop_stands_still_is_started_again(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up(tmp_path / "state")
    urls = up.wait_until_up()
    up.find_role("gateway").suspend()
    told = up.wait_for("logged", "gateway")
    assert told["text"] == "its event loop has not turned for 30 s; ending it"
    assert up.wait_for("ended", "gateway")["text"] == "killed by SIGKILL; starting it again"
    up.wait_for("ready", "gateway")
    assert fetch_status(f"{urls['gateway']}/readyz") == 200


def flood_log(gateway_url: str, lines: int) -> None:
    """Have a gateway that logs everything write so many lines."""
    host, _, port = gateway_url.removeprefix("http://").rpartition(":")
    for _ in range(lines):
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(b"no HTTP at all\r\n\r\n")
            # Once it has answered, it has logged.
            assert connection.recv(1)


LOG_EVERYTHING = {"CAPTCHAD_LOGGING__LEVEL": "debug"}
PIPES_FILLING_LINES = 2000
"""More than the pipe and every buffer behind it can hold, at a hundred bytes each."""


def test_log_that_can_not_be_written_stops_neither_its_role_nor_ctrl_c(start_up: StartUp, tmp_path: Path) -> None:
    log = tmp_path / "state" / "logs" / "gateway.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    up = start_up(tmp_path / "state", variables=LOG_EVERYTHING)
    gateway = up.wait_until_up()["gateway"]
    flood_log(gateway, PIPES_FILLING_LINES)
    assert fetch_status(f"{gateway}/readyz") == 200
    log.unlink()
    flood_log(gateway, 1)
    wait_until(lambda: log.exists() and b"is not well-formed HTTP" in log.read_bytes(), "the log to be written again")
    assert b"lines could not be written: No space left on device" in log.read_bytes()
    up.signal(signal.SIGINT)
    assert up.read_to_the_end() == 0
    told = [event["text"] for event in up.events if event["event"] == "logged" and event["name"] == "gateway"]
    assert any("can't be written, and lines are lost: No space left on device" in text for text in told)
    assert any("its log is written again" in text for text in told)


def test_up_whose_output_nobody_takes_goes_on(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up(tmp_path / "state", "--verbose", variables=LOG_EVERYTHING)
    gateway = up.wait_until_up()["gateway"]
    up.stop_reading()
    flood_log(gateway, PIPES_FILLING_LINES)
    victim = up.find_role("monitor")
    victim.kill()
    wait_until(lambda: [one for one in find_roles(up, "monitor") if one.pid != victim.pid], "the monitor to run again")
    descendants = up.descendants()
    up.signal(signal.SIGINT)
    assert await_ends(descendants) == []


def test_monitor_expects_the_workers_that_were_asked_for(running: RunningUp) -> None:
    with urllib.request.urlopen(f"{running.urls['monitor']}/status/config", timeout=PATIENCE_SECONDS) as answer:
        assert json.load(answer)["worker_nodes_count"] == 1
