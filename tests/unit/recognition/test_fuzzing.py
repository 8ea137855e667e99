"""The decoder holds against some coverage-guided fuzzing from one seed; `make prove-fuzz` does it for minutes."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SEED = 1
INPUTS = 10_000
INPUTS_PER_ROUND = 5_000
TIME_LIMIT_SECONDS = 90


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="atheris is built for Linux on x86-64 only"
)
def test_no_input_that_fuzzing_finds_breaks_the_decoder(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.fuzz.rounds", str(tmp_path)]
    bounds = ["--seed", str(SEED), "--inputs", str(INPUTS), "--per-round", str(INPUTS_PER_ROUND)]
    run = subprocess.run(
        [*program, *bounds], cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr[-4000:]
    assert f"fuzzed {INPUTS} inputs in {INPUTS // INPUTS_PER_ROUND} rounds" in run.stdout
