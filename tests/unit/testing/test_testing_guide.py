"""docs/testing.md, and its Chinese twin: what they show exists, and a script does it as written."""

import ast
import inspect
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from captchad.client import AsyncCaptchad, Captchad
from captchad.testing.form import FillOptions
from captchad.testing.toolbox import CaptchadFixture

DOCS = Path(__file__).resolve().parents[3] / "docs"
TWINS = ["testing.md", "testing.zh.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TWINS)
def test_every_example_can_be_read(name: str) -> None:
    for language, text in BLOCK.findall(read(name)):
        if language == "python":
            ast.parse(text)
        elif language == "yaml":
            assert yaml.safe_load(text)
        else:
            assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


def test_both_languages_have_the_same_examples() -> None:
    english, chinese = (BLOCK.findall(read(name)) for name in TWINS)
    assert chinese == english


@pytest.mark.parametrize("name", TWINS)
def test_every_argument_of_fill_has_its_line_and_nothing_else(name: str) -> None:
    table = read(name).partition("|---|---|\n")[2].partition("\n\n")[0]
    named = {argument for row in table.splitlines() for argument in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {"picture", "input", *FillOptions.__annotations__}


@pytest.mark.parametrize("name", TWINS)
def test_every_method_of_the_client_has_its_line(name: str) -> None:
    methods = {one for one, _ in inspect.getmembers(Captchad, inspect.isfunction) if not one.startswith("_")}
    assert methods == {
        one for one, _ in inspect.getmembers(AsyncCaptchad, inspect.isfunction) if not one.startswith("_")
    }
    rows = "\n".join(line.split("|")[1] for line in read(name).splitlines() if line.startswith("| `"))
    assert methods <= set(re.findall(r"`(\w+)\(", rows))
    assert {"read", "fill", "storage_state"} <= set(dir(CaptchadFixture))


@pytest.mark.parametrize("name", TWINS)
def test_twins_take_the_same_options(name: str) -> None:
    for method in ("solve", "submit", "batch", "wait", "report", "__init__"):
        blocking, asynchronous = (inspect.signature(getattr(one, method)) for one in (Captchad, AsyncCaptchad))
        assert blocking.parameters == asynchronous.parameters


def test_the_ten_minutes_become_a_script_that_a_shell_can_read() -> None:
    from testing_guide import make_script, read_ten_minutes  # noqa: PLC0415

    steps = read_ten_minutes(read("testing.md"))
    assert [step.file for step in steps if step.file] == [
        "login_page.py",
        "conftest.py",
        "test_login.py",
        "conftest.py",
    ]
    script = make_script(steps)
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert script.endswith("\npytest\n")
