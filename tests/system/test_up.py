"""`captchad up` comes up, or says why not, and ends, with real processes and signals."""

import json
import signal
import socket
from pathlib import Path

import pytest
import redis

from captchad.broker.embedded import find_socket
from captchad.client import GatewayClient
from tests.patience import PATIENCE_SECONDS
from tests.processes import await_ends, is_alive, read_command
from tests.system.up_process import GONE_SECONDS, StartUp, UpProcess, fetch_status

pytestmark = pytest.mark.long


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
