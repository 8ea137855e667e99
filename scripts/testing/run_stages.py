"""Runs every check and test, the fast ones first; a stage that fails ends the run, and the totals come last."""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CHECKS = (
    [str(BIN / "ruff"), "check", "."],
    [str(BIN / "ruff"), "format", "--check", "."],
    [str(BIN / "mypy"), "captchad"],
    [str(BIN / "lint-imports")],
    [str(BIN / "vulture")],
)
TEST_STAGES = ("unit", "integration", "system")


def main(arguments: list[str]) -> int:
    """Run all stages, or the checks alone with `--only check`; return the exit code."""
    started = time.monotonic()
    for command in CHECKS:
        print(f"--- {Path(command[0]).name} {' '.join(command[1:])}", flush=True)
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code != 0:
            print(f"=== failed at {Path(command[0]).name}", flush=True)
            return code
    if arguments == ["--only", "check"]:
        return 0
    totals: Counter[str] = Counter()
    for stage in TEST_STAGES:
        code = _run_tests(stage, totals)
        if code != 0:
            print(f"=== {_describe(totals)}; stopped after the {stage} tests", flush=True)
            return code
    print(f"=== {_describe(totals)} in {time.monotonic() - started:.2f}s ===", flush=True)
    return 0


def _run_tests(stage: str, totals: Counter[str]) -> int:
    print(f"--- {stage} tests", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"tests/{stage}", f"--junitxml={report}"]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if report.exists():
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
    return ", ".join(f"{totals[name]} {name}" for name in ("failed", "errors", "passed", "skipped") if totals[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
