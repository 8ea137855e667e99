"""Makes the scripts that run the tests importable, which are no package."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture(autouse=True)
def _scripts_on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(SCRIPTS / "bootstrap"))
    monkeypatch.syspath_prepend(str(SCRIPTS / "testing"))
    yield
    for module in ("prove_pythons", "python_packages", "steps", "testing_guide"):
        if module not in known:
            sys.modules.pop(module, None)
