"""What `captchad up` says of the configuration that its roles share."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import wait_until
from tests.system.up_process import UpProcess

ROLES = ("gateway", "scheduler", "monitor", "worker-1")


@contextmanager
def run_up(state: Path, file: Path) -> Iterator[UpProcess]:
    up = UpProcess(state, "--config", str(file))
    try:
        yield up
    finally:
        up.end()


def test_what_concerns_all_roles_is_said_once(tmp_path: Path) -> None:
    state, file = tmp_path / "state", tmp_path / "f.json"
    file.write_text('{"worker": {"task_timeout": 60, "task_deadline_seconds": 30}}')
    with run_up(state, file) as up:
        up.wait_until_up()
        file.write_text('{"worker": {"task_timeout": 20, "task_deadline_seconds": 30}, "gateway": {"queue_limit": 7}}')
        up.signal(signal.SIGHUP)
        reloaded = up.wait_for("reloaded")
        assert reloaded["text"] == "configuration reloaded: gateway.queue_limit is now 7"

        def have_roles_reloaded() -> bool:
            logs = [(state / "logs" / f"{role}.log").read_text() for role in ROLES]
            return all("worker.task_timeout is 20" in log and reloaded["text"] in log for log in logs)

        wait_until(have_roles_reloaded, "all roles to log the reload")
        file.write_text("{")
        up.signal(signal.SIGHUP)
        assert up.wait_for("logged", "up")["text"].startswith("the new configuration is rejected: not valid JSON")
        up.signal(signal.SIGTERM)
        up.read_to_the_end()
        said = [event["text"] for event in up.events if "level" in event and event["level"] != "info"]
        assert [text for text in said if "task_timeout" in text] == [
            "worker.task_timeout: is longer than worker.task_deadline_seconds, which ends the task first",
            "worker.task_timeout is 20.0 in the configuration, but 60.0 stays in force until captchad up is restarted",
        ]
        assert sum("is rejected" in text for text in said) == 1


def test_a_doubt_is_said_once_where_logs_are_text_too(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"logging": {"format": "text"}, "redis": {"connection_pool_size": 101}}))
    with run_up(tmp_path / "state", file) as up:
        up.wait_until_up()
        said = [event for event in up.events if "redis.connection_pool_size" in event.get("text", "")]
        assert [event["name"] for event in said] == ["up"]
