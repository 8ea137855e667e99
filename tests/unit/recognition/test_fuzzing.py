"""The decoder holds against a few seconds of coverage-guided fuzzing; `make prove-fuzz` does it for minutes."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 8
EXECUTIONS_AT_LEAST = 500
TIME_LIMIT_SECONDS = 90


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="atheris is built for Linux on x86-64 only"
)
def test_no_input_that_fuzzing_finds_breaks_the_decoder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.fuzz_decoding", str(SECONDS), str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    executions = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    assert executions is not None
    assert int(executions.group(1)) >= EXECUTIONS_AT_LEAST
