"""Makes the set-up's scripts importable, which are no package."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "bootstrap"
MODULES = (
    *("browser", "machine", "oldest_redis", "prepare", "python_packages", "selenium_grid", "steps", "system_packages"),
)


@pytest.fixture(autouse=True)
def _scripts_on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for module in MODULES:
        sys.modules.pop(module, None)
