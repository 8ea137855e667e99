"""Runs stages of tests, on all cores: `run_stages.py STAGE... [--tests PATH...] [--order random] [--seed N]`.

Tests marked `alone` come last in their stage, one after another. A stage that fails ends the run; the last line has the
totals.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("unit", "integration", "system")
PROCESSES_PER_CORE = {"unit": 1, "integration": 2, "system": 2}
"""The tests of the last two mostly wait: for a page, a timer, a lease that runs out."""

PROCESSES_AT_MOST = 8
"""Each may have a browser of several hundred MB, whatever the number of cores."""
EXIT_NO_TESTS = 5


def main(arguments: list[str]) -> int:
    """Run the stages that `arguments` name; return the exit code."""
    given = _parse(arguments)
    options = _order_options(given)
    started = time.monotonic()
    totals: Counter[str] = Counter()
    for stage in given.stages:
        print(f"--- {stage} tests", flush=True)
        code = _run_stage(stage, given.tests or [f"tests/{stage}"], options, totals)
        if code != 0:
            print(f"=== {_describe(totals)}; stopped after the {stage} tests", flush=True)
            return code
    print(f"=== {_describe(totals)} in {time.monotonic() - started:.2f}s ===", flush=True)
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run stages of tests, on all cores.", allow_abbrev=False)
    parser.add_argument("stages", nargs="+", choices=STAGES, metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="these alone, of one stage")
    parser.add_argument("--order", choices=("written", "random"), default="written")
    parser.add_argument("--seed", type=int, help="of the random order; a new one unless given")
    given = parser.parse_args(arguments)
    if given.tests and len(given.stages) > 1:
        parser.error("--tests goes with one stage")
    if given.seed is not None and given.order != "random":
        parser.error("--seed goes with --order random")
    return given


def _order_options(given: argparse.Namespace) -> list[str]:
    if given.order != "random":
        return []
    seed = secrets.randbelow(2**32) if given.seed is None else given.seed
    print(f"--- in random order; the same again with ORDER=random SEED={seed}", flush=True)
    return ["-p", "randomly", f"--randomly-seed={seed}"]


def _run_stage(stage: str, tests: list[str], options: list[str], totals: Counter[str]) -> int:
    """Run what may share the machine, then the rest; return the first exit code that is a failure.

    A process that crashes, or is ended by a test's timeout, is not replaced: its successor would begin its file again.
    Files are dealt out in the order in which they are collected, the long ones first.
    """
    processes = min(len(os.sched_getaffinity(0)) * PROCESSES_PER_CORE[stage], PROCESSES_AT_MOST)
    dealing = ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder", "--max-worker-restart", "0"]
    shared = ["-m", "not alone", *dealing]
    codes = [_run_pytest([*tests, *options, *arguments], totals) for arguments in (shared, ["-m", "alone"])]
    failures = [code for code in codes if code not in {0, EXIT_NO_TESTS}]
    if failures:
        return failures[0]
    return 0 if 0 in codes else EXIT_NO_TESTS


def _run_pytest(arguments: list[str], totals: Counter[str]) -> int:
    """Run pytest once; a process that ends without a report has failed, whatever its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        pytest = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml")]
        code = subprocess.run([*pytest, *arguments, f"--junitxml={report}"], cwd=ROOT, check=False).returncode
        if not report.exists():
            totals["errors"] += 1
            return code or 1
        _count(report, totals)
    return code


def _count(report: Path, totals: Counter[str]) -> None:
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - written by the pytest just run
    for suite in suites:
        figures = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
        totals["failed"] += figures["failures"]
        totals["errors"] += figures["errors"]
        totals["skipped"] += figures["skipped"]
        totals["passed"] += figures["tests"] - figures["failures"] - figures["errors"] - figures["skipped"]


def _describe(totals: Counter[str]) -> str:
    named = [f"{totals[name]} {name}" for name in ("failed", "errors", "passed", "skipped") if totals[name]]
    return ", ".join(named) or "no tests ran"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
