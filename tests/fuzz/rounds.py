"""Fuzzing of the decoder in rounds: `python -m tests.fuzz.rounds FOLDER (--inputs N | --seconds N) [--seed N]`.

What atheris has seen compared it never frees, so each round is a process of its own with a bounded number of inputs;
the corpus in FOLDER/corpus goes on from round to round. Findings lie in FOLDER.
"""

import argparse
import re
import resource
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INPUTS_PER_ROUND = 25_000
SECONDS_PER_ROUND = 120
SEED_LIMIT = 2**31


@dataclass
class Totals:
    """What all rounds have tried so far."""

    inputs: int = 0
    rounds: int = 0

    def describe(self) -> str:
        peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        return f"{self.inputs} inputs in {self.rounds} rounds, at most {peak_mib} MiB"


def fuzz_in_rounds(folder: Path, seed: int, inputs: int | None, seconds: float | None, per_round: int) -> int:
    """Fuzz until `inputs` are tried or `seconds` are over; return the exit code of the first round that fails, or 0."""
    totals, ends_at = Totals(), time.monotonic() + (seconds or float("inf"))
    while (inputs is None or totals.inputs < inputs) and time.monotonic() < ends_at:
        wanted = per_round if inputs is None else min(per_round, inputs - totals.inputs)
        allowed_seconds = int(max(1, min(SECONDS_PER_ROUND, ends_at - time.monotonic())))
        round_seed = seed + totals.rounds
        code, tried = run_round(folder, round_seed, wanted, allowed_seconds)
        if code != 0:
            print(f"the round with the seed {round_seed} ended with {code}, after {totals.describe()}", flush=True)
            return code
        totals.inputs += tried
        totals.rounds += 1
        print(f"fuzzed {totals.describe()}", flush=True)
    return 0


def run_round(folder: Path, seed: int, inputs: int, seconds: int) -> tuple[int, int]:
    """Run one round; return its exit code and how many inputs it tried. Shows what a failed one said."""
    command = [sys.executable, "-m", "tests.fuzz.fuzz_decoding", str(folder), str(seed), str(inputs), str(seconds)]
    run = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    tried = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    if run.returncode != 0 or tried is None:
        print(run.stderr, file=sys.stderr)
        return run.returncode or 1, 0
    return 0, int(tried.group(1))


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the decoder of pictures.", allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--inputs", type=int)
    length.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, help="the first round's; a random one unless given")
    parser.add_argument("--per-round", type=int, default=INPUTS_PER_ROUND, help="inputs of one round")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(SEED_LIMIT) + 1
    print(f"the seed is {seed}", flush=True)
    return fuzz_in_rounds(given.folder.resolve(), seed, given.inputs, given.seconds, given.per_round)


if __name__ == "__main__":
    sys.exit(main())
