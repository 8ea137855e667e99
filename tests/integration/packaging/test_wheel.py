"""What the wheel holds, and what it says of itself."""

import os
import re
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from captchad.deployment.examples import EXAMPLES
from tests.wheel import OWN_CONFIGURATION, ROOT, build_wheel

LEFT_OUT = ("captchad/training/pictures/", "captchad/training/pretraining/")
DEPLOYED = "captchad/deployment/files/"
BASE = {"click", "publicsuffixlist", "pydantic", "rich"}
EXTRAS = {"server", "worker", "embedded", "demo", "ddddocr", "all", "train", "generators", "fuzz", "dev"}
LINK = re.compile(r"\]\(([^)]*)\)|(?:src|href)=\"([^\"]*)\"|<(https?:[^>]*)>")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def list_sources() -> set[str]:
    """List the files under captchad/, those that its links lead to among them."""
    return {
        (Path(folder) / file).relative_to(ROOT).as_posix()
        for folder, _, files in os.walk(ROOT / "captchad", followlinks=True)
        for file in files
        if not folder.endswith("__pycache__")
    }


def test_all_of_captchad_travels_but_the_making_of_the_packaged_model(wheel: zipfile.ZipFile) -> None:
    expected = {name for name in list_sources() if not name.startswith(LEFT_OUT)}
    expected.discard(DEPLOYED + OWN_CONFIGURATION)
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


def test_units_and_examples_travel_as_they_are(wheel: zipfile.ZipFile) -> None:
    deployed = {name.removeprefix(DEPLOYED) for name in wheel.namelist() if name.startswith(DEPLOYED)}
    assert {f"config/{one.file}" for one in EXAMPLES.values()} <= deployed
    assert {f"systemd/{unit.name}" for unit in (ROOT / "systemd").iterdir()} <= deployed
    assert OWN_CONFIGURATION not in deployed
    for name in deployed:
        assert wheel.read(DEPLOYED + name) == (ROOT / name).read_bytes()


def test_the_base_is_light_and_everything_else_an_extra(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist", [])
    assert {re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line} == BASE
    assert set(metadata.get_all("Provides-Extra", [])) == EXTRAS


def test_the_description_links_to_files_that_are_there(metadata: Message) -> None:
    home = metadata["Home-page"]
    links = ["".join(found.groups("")) for found in LINK.finditer(str(metadata.get_payload()))]
    assert len(links) > 10
    for link in links:
        assert link.startswith(("http://127.0.0.1:", f"{home}/blob/main/", f"{home}/raw/main/")), link
        if link.startswith(home):
            path, _, heading = link.removeprefix(home).split("/main/")[1].partition("#")
            assert (ROOT / path).is_file(), link
            assert not heading or heading in _list_headings(ROOT / path), link


def _list_headings(document: Path) -> list[str]:
    """Return the headings of a document as links name them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
