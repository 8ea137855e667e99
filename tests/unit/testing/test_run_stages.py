"""The program behind `make test`: what it refuses, and what it makes of tests that fail or end their process."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "testing" / "run_stages.py"
SHARED = """
import os


def test_passing():
    pass


def test_crashing():
    os._exit(0)
"""
ALONE = """
import pytest


@pytest.mark.alone
def test_failing_alone():
    assert False
"""
HANGING = """
import asyncio

import pytest


@pytest.mark.timeout(0.5)
async def test_hanging():
    await asyncio.Event().wait()
"""
ALONE_CRASHING = """
import os

import pytest


@pytest.mark.alone
def test_crashing_alone():
    os._exit(0)
"""


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)


@pytest.mark.parametrize(
    "line", ["", "everything", "--only system", "unit --only", "unit system --tests tests/unit", "unit --seed 1"]
)
def test_what_it_does_not_know_is_refused(line: str) -> None:
    refused = run(*line.split())
    assert refused.returncode == 2
    assert "usage: run_stages.py" in refused.stderr


def test_every_failure_of_a_stage_is_counted(tmp_path: Path) -> None:
    (tmp_path / "test_shared.py").write_text(SHARED)
    (tmp_path / "test_alone.py").write_text(ALONE)
    ended = run("unit", "--tests", str(tmp_path), "--order", "random", "--seed", "7")
    assert ended.returncode == 1, ended.stdout
    assert "ORDER=random SEED=7" in ended.stdout
    assert "crashed while running" in ended.stdout
    assert "assert False" in ended.stdout
    assert ended.stdout.splitlines()[-1].endswith("; stopped after the unit tests")


def test_a_test_that_hangs_and_one_that_ends_its_process_are_failures(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGING)
    (tmp_path / "test_alone.py").write_text(ALONE_CRASHING)
    ended = run("unit", "--tests", str(tmp_path))
    assert ended.returncode == 1, ended.stdout
    assert "crashed while running" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "=== 2 errors; stopped after the unit tests", ended.stdout


def test_no_test_at_all_is_a_failure(tmp_path: Path) -> None:
    ended = run("unit", "--tests", str(tmp_path))
    assert ended.returncode == 5, ended.stdout
    assert ended.stdout.splitlines()[-1] == "=== no tests ran; stopped after the unit tests"
