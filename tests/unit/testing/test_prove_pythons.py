"""Which Pythons are proved, and how what became of the tests is counted."""

import importlib
from pathlib import Path

import pytest

REPORT = """
<testsuites><testsuite>
<testcase classname="a" name="test_good"/>
<testcase classname="b" name="test_bad"><failure message="assert False">E  assert False</failure></testcase>
<testcase classname="c" name="test_skipped"><skipped message="no"/></testcase>
<testcase classname="d" name="needs"><error message="collection">No module named 'torch'</error></testcase>
<testcase classname="e" name="test_other"><failure message="No module named 'torchless'">E</failure></testcase>
</testsuite></testsuites>
"""


def add_python(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_the_newest_of_each_version_that_makes_environments_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_python(tmp_path / "bin", "python3.12", "echo 3 12 1")
    add_python(tmp_path / "bin", "python3.13", "echo no module named venv >&2; exit 1")
    add_python(tmp_path / "bin", "python3.12-config", "echo 3 12 9")
    newer = add_python(tmp_path / "pyenv" / "versions" / "3.12.4" / "bin", "python3.12", "echo 3 12 4")
    add_python(tmp_path / "pyenv" / "versions" / "3.10.1" / "bin", "python3.10", "echo 3 10 1")
    other = add_python(tmp_path / "pyenv" / "versions" / "3.14.0" / "bin", "python3.14", "echo 3 14 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    prove_pythons = importlib.import_module("prove_pythons")
    assert prove_pythons.find_pythons() == {(3, 12, 4): newer, (3, 14, 0): other}


def test_what_misses_an_extra_is_no_failure_and_everything_else_is(tmp_path: Path) -> None:
    prove_pythons = importlib.import_module("prove_pythons")
    report = tmp_path / "report.xml"
    report.write_text(REPORT.strip())
    outcome = prove_pythons.Outcome("3.14.0", missing=["train"])
    prove_pythons.read_report(report, outcome)
    assert outcome.describe() == "Python 3.14.0: 1 passed, 2 failed, 1 skipped, 1 not runnable without train"
    assert not outcome.is_good
    whole = prove_pythons.Outcome("3.14.0")
    prove_pythons.read_report(report, whole)
    assert whole.describe() == "Python 3.14.0: 1 passed, 3 failed, 1 skipped"
