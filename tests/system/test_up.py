"""`captchad up` with real processes and signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from captchad.broker.embedded import find_socket
from captchad.client import GatewayClient
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import find_free_port
from tests.processes import await_ends, is_alive, list_descendants, read_command
from tests.system.up_process import UpProcess

StartUp = Callable[..., UpProcess]

GONE_SECONDS = 20.0
"""How soon what a dead process had started must have ended: ten times the two seconds it may take when all is quiet."""


@pytest.fixture
def start_up() -> Iterator[StartUp]:
    """Start `up` processes that end with the test."""
    with ExitStack() as stack:

        def start(state: Path, *arguments: str, **options: Any) -> UpProcess:
            process = UpProcess(state, *arguments, **options)
            stack.callback(process.end)
            return process

        yield start


def fetch_status(url: str) -> int:
    """Return the status of a GET; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def wait_for_status(url: str, status: int) -> None:
    wait_until(lambda: fetch_status(url) == status, f"{url} to answer {status}")


def names_of(process: UpProcess, event: str) -> list[str]:
    return [one["name"] for one in process.events if one["event"] == event]


def test_ctrl_c_stops_gateway_then_workers_then_the_rest_and_redis_last(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up(tmp_path / "state")
    urls = up.wait_until_up()
    ready = {role: fetch_status(f"{urls[role]}/readyz") for role in ("gateway", "scheduler", "monitor", "worker-1")}
    assert set(ready.values()) == {200}
    descendants = up.descendants()
    assert any("--remote-debugging-pipe" in read_command(process) for process in descendants)
    up.signal(signal.SIGINT)
    assert up.read_to_the_end() == 0
    stopped = names_of(up, "stopped")
    assert stopped[:2] == ["gateway", "worker-1"]
    assert set(stopped[2:4]) == {"scheduler", "monitor"}
    assert stopped[4:] == ["redis"]
    assert not [process for process in descendants if is_alive(process)]


def test_kill_9_leaves_no_child_and_the_next_up_keeps_the_data(start_up: StartUp, tmp_path: Path) -> None:
    state = tmp_path / "state"
    up = start_up(state)
    first = up.wait_until_up()
    with redis.Redis(unix_socket_path=str(find_socket(state))) as client:
        client.set("kept", "through kill -9")
    descendants = up.descendants()
    assert {"gateway", "scheduler", "worker", "monitor"} <= {
        argument.removeprefix("--role=") for process in descendants for argument in read_command(process)
    }
    up.signal(signal.SIGKILL)
    ports = tuple(f"--{role}-port={first[role].rpartition(':')[2]}" for role in ("gateway", "scheduler", "monitor"))
    second = start_up(state, ports=ports)
    assert await_ends(descendants, GONE_SECONDS) == []
    assert second.wait_until_up()["gateway"] == first["gateway"]
    with redis.Redis(unix_socket_path=str(find_socket(state))) as client:
        assert client.get("kept") == b"through kill -9"


def test_second_up_on_the_same_state_folder_is_told_who_holds_it(start_up: StartUp, tmp_path: Path) -> None:
    first = start_up(tmp_path / "state")
    first.wait_for("ready", "redis")
    second = start_up(tmp_path / "state")
    assert second.read_to_the_end() == 1
    message = second.describe_end()
    assert f"in use by process {first.pid}" in message
    assert len(message.splitlines()) == 1


def test_taken_port_is_an_error_that_names_its_holder(start_up: StartUp, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        free = (f"--gateway-port={port}", "--scheduler-port=0", "--monitor-port=0")
        up = start_up(tmp_path / "state", ports=free)
        assert up.read_to_the_end() == 1
    assert f"port {port} is taken by" in up.describe_end()


@pytest.mark.parametrize("role", ["gateway", "worker"])
def test_killed_role_runs_again_at_once(start_up: StartUp, tmp_path: Path, role: str) -> None:
    up = start_up(tmp_path / "state")
    urls = up.wait_until_up()
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
    wait_for_status(f"{urls['gateway']}/readyz", 200)


def find_roles(up: UpProcess, role: str) -> list[psutil.Process]:
    return [one for one in up.descendants() if f"--role={role}" in read_command(one)]


def test_killed_redis_is_started_again_with_its_data(start_up: StartUp, tmp_path: Path) -> None:
    state = tmp_path / "state"
    up = start_up(state)
    urls = up.wait_until_up()
    with redis.Redis(unix_socket_path=str(find_socket(state))) as client:
        client.set("kept", "x")
        psutil.Process(client.info("server")["process_id"]).kill()
    up.wait_for("ready", "redis")
    with redis.Redis(unix_socket_path=str(find_socket(state))) as client:
        assert client.get("kept") == b"x"
    wait_for_status(f"{urls['gateway']}/readyz", 200)


def test_second_ctrl_c_ends_also_what_does_not_react(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up(tmp_path / "state")
    up.wait_until_up()
    descendants = up.descendants()
    up.find_role("worker").suspend()
    up.signal(signal.SIGINT)
    up.wait_for("stopped", "gateway")
    up.signal(signal.SIGINT)
    assert up.read_to_the_end() == 0
    assert not [process for process in descendants if is_alive(process)]


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


def test_role_whose_event_loop_stands_still_is_started_again(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up(tmp_path / "state")
    urls = up.wait_until_up()
    up.find_role("gateway").suspend()
    told = up.wait_for("logged", "gateway")
    assert told["text"] == "its event loop has not turned for 30 s; ending it"
    assert up.wait_for("ended", "gateway")["text"] == "killed by SIGKILL; starting it again"
    up.wait_for("ready", "gateway")
    assert fetch_status(f"{urls['gateway']}/readyz") == 200


def test_monitor_expects_the_workers_that_were_asked_for(start_up: StartUp, tmp_path: Path) -> None:
    urls = start_up(tmp_path / "state").wait_until_up()
    with urllib.request.urlopen(f"{urls['monitor']}/status/config", timeout=PATIENCE_SECONDS) as answer:
        assert json.load(answer)["worker_nodes_count"] == 1


def test_two_at_once_have_workers_of_their_own(start_up: StartUp, tmp_path: Path) -> None:
    states = [tmp_path / name / "state" for name in ("a", "b")]
    for state in states:
        state.parent.mkdir()
    started = [start_up(state) for state in states]
    urls = [up.wait_until_up()["worker-1"] for up in started]
    assert urls[0] != urls[1]
    assert [names_of(up, "ended") for up in started] == [[], []]
    assert [fetch_status(f"{url}/readyz") for url in urls] == [200, 200]


def test_role_that_never_starts_ends_up_with_its_last_words(start_up: StartUp, tmp_path: Path) -> None:
    configuration = tmp_path / "distributed.json"
    configuration.write_text(json.dumps({"browser": {"executable": "/bin/false"}}))
    up = start_up(tmp_path / "state", f"--config={configuration}")
    assert up.read_to_the_end() == 1
    message = up.describe_end()
    assert message.startswith("captchad: worker-1 does not start: ")
    assert "/bin/false" in message
    assert "listening" not in message
    assert "stopped" not in message


def test_wrong_configuration_is_reported_before_anything_starts(start_up: StartUp, tmp_path: Path) -> None:
    configuration = tmp_path / "distributed.json"
    configuration.write_text(json.dumps({"worker": {"task_timeout": -1}}))
    up = start_up(tmp_path / "state", f"--config={configuration}")
    assert up.read_to_the_end() == 1
    assert "worker.task_timeout" in up.describe_end()
    assert up.events == []


def test_sessions_work_with_a_key_that_up_makes_and_hands_on(start_up: StartUp, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        target = {"host": "127.0.0.1", "ports": [closed.getsockname()[1]], "allow_private_addresses": True}
        (tmp_path / "distributed.json").write_text(json.dumps({"security": {"targets": [target]}}))
        up = start_up(state, f"--config={tmp_path / 'distributed.json'}")
        client = GatewayClient(up.wait_until_up()["gateway"])
        task = {
            "url": f"http://127.0.0.1:{closed.getsockname()[1]}/",
            "session": {"headers": {"X-Token": "open-sesame"}},
            "return_session": True,
            "retry_count": 0,
        }
        ended = client.wait(client.submit(task)["task_id"], PATIENCE_SECONDS)
    assert ended["error"]["code"] == "navigation_failed", "the worker could read what the gateway sealed"
    assert (state / "session.key").stat().st_mode & 0o777 == 0o600


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
