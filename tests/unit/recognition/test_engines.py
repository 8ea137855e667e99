"""Engines by name, out of what the installed packages declare."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from captchad.domain.errors import DependencyMissing
from captchad.recognition.engines import (
    DEFAULT_ENGINE,
    ENSEMBLE_MEMBERS,
    ENTRY_POINT_GROUP,
    find_unknown,
    list_engines,
    load_engine,
    load_ensemble,
)
from captchad.recognition.widening import WideningEngine

SETTINGS = Path(__file__).parents[3] / "setup.cfg"
FOREIGN = """
class Reader:
    name = "foreign-1"
    largest_batch = 4

    def recognise(self, pictures, hints):
        return []
"""


@pytest.fixture
def foreign_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that declares engines: one that works, two that don't, and one of a name that is taken."""
    information = tmp_path / "foreign_reader-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-reader\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        f"[{ENTRY_POINT_GROUP}]\n"
        "foreign = foreign_reader:Reader\n"
        "halfway = foreign_reader:Missing\n"
        "unbuilt = foreign_reader_core:Reader\n"
        f"{DEFAULT_ENGINE} = foreign_reader:Reader\n"
    )
    (tmp_path / "foreign_reader.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(tmp_path)


def test_what_is_declared_is_what_is_listed() -> None:
    settings = ConfigParser()
    settings.read(SETTINGS)
    lines = settings["options.entry_points"][ENTRY_POINT_GROUP].strip().splitlines()
    assert {line.partition("=")[0].strip() for line in lines} == set(list_engines())
    assert {DEFAULT_ENGINE, *ENSEMBLE_MEMBERS} <= set(list_engines())


def test_without_a_name_the_usual_one_is_loaded() -> None:
    assert isinstance(load_engine(), WideningEngine)


@pytest.mark.usefixtures("foreign_package")
def test_another_packages_engine_is_loaded_by_its_name() -> None:
    assert "foreign" in list_engines()
    assert load_engine("foreign").name == "foreign-1"
    assert load_engine("foreign+foreign").name == "foreign-1"
    assert load_engine("tesseract+foreign").largest_batch == 4


@pytest.mark.usefixtures("foreign_package")
def test_captchads_own_names_cannot_be_taken() -> None:
    assert isinstance(load_engine(DEFAULT_ENGINE), WideningEngine)


@pytest.mark.usefixtures("foreign_package")
@pytest.mark.parametrize("name", ["halfway", "unbuilt"])
def test_an_engine_that_is_not_wholly_there_says_so(name: str) -> None:
    with pytest.raises(DependencyMissing, match=f"the engine {name} .* can't be loaded"):
        load_engine(name)


@pytest.mark.parametrize("name", ["", "nobody", "tesseract+nobody", "tesseract+", "+"])
def test_an_unknown_name_is_answered_with_those_there_are(name: str) -> None:
    assert find_unknown(name)
    with pytest.raises(
        DependencyMissing, match=r"there is no engine .*; those declared are: captchad, ddddocr, ensemble, tess"
    ):
        load_engine(name)


def test_the_ensemble_reads_with_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("captchad.recognition.network.PACKAGE", "a_package_nobody_has")
    assert load_ensemble().name == load_engine(DEFAULT_ENGINE).name


def test_the_usual_engine_needs_nothing_that_a_plain_install_lacks() -> None:
    program = (
        "import sys; from captchad.recognition.engines import load_engine; load_engine();"
        "loaded = {'cv2', 'ddddocr', 'torch'} & set(sys.modules);"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
