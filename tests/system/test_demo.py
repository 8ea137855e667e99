"""`captchad demo` as it is run first by everyone."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_SECONDS
from tests.processes import await_ends, list_descendants, read_command

COMMAND = [sys.executable, "-m", "captchad", "demo"]


@pytest.fixture
def demo_environment(tmp_path: Path) -> dict[str, str]:
    """An environment that would lead astray a demo that heeds it; its temporary folder is the test's."""
    misleading = {"REDIS_URL": "redis://127.0.0.1:1/0", "ENVIRONMENT": "prod", "CAPTCHAD_WORKER__TASK_TIMEOUT": "1"}
    return {**os.environ, **misleading, "TMPDIR": str(tmp_path)}


def run_demo(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS, env=environment, check=False
    )


def test_demo_prints_truth_text_confidence_and_milliseconds_of_five_tasks(
    demo_environment: dict[str, str], tmp_path: Path
) -> None:
    before = set(psutil.pids())
    done = run_demo(demo_environment)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if re.match(r"[1-5] {2,}", line)]
    assert len(rows) == 5
    for _, _, truth, text, confidence, milliseconds, mark in rows:
        assert (truth == text) == (mark == "✓")
        assert 0 <= float(confidence) <= 1
        assert float(milliseconds) > 0
    # What is misread is tried again with another picture.
    assert [row[-1] for row in rows] == ["✓"] * 5
    assert len({row[1] for row in rows}) == 5
    assert list(tmp_path.glob("captchad-demo-*")) == []
    assert find_ours(set(psutil.pids()) - before, tmp_path) == []


def find_ours(process_ids: set[int], folder: Path) -> list[str]:
    """Return the processes that still work on the demo's folder."""
    found = []
    for process_id in process_ids:
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(read_command(psutil.Process(process_id)))
            if str(folder) in command:
                found.append(command)
    return found


def test_json_is_the_only_thing_on_standard_output(demo_environment: dict[str, str]) -> None:
    done = run_demo(demo_environment, "--json", "--tasks", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["completed"] == len(report["tasks"]) == 2
    assert {"truth", "text", "confidence", "total_ms", "verified", "is_right", "outcome"} <= set(report["tasks"][0])
    assert report["right"] == 2
    assert report["kinds"] == {task["page"]: {"right": 1, "wrong": 0, "failed": 0} for task in report["tasks"]}


def test_kept_demo_stays_up_until_ctrl_c(demo_environment: dict[str, str], tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*COMMAND, "--keep", "--tasks", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=demo_environment,
    )
    assert demo.stdout is not None
    printed = ""
    while "sample site  http" not in printed:
        line = demo.stdout.readline()
        assert line, f"it has ended: {printed}"
        printed += line
    descendants = list_descendants(demo.pid)
    assert {"gateway", "dashboard"} <= set(re.findall(r"^  (\w+) +http://127", printed, re.MULTILINE))
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=PATIENCE_SECONDS)
    assert demo.returncode == 0, printed + rest
    assert await_ends(descendants) == []
