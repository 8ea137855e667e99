"""The virtual environment and what is installed in it; a stamp in it spares the second run."""

import hashlib
import subprocess
import sys
from pathlib import Path

from steps import run, say

INSTALL_TIMEOUT_SECONDS = 1800
STAMPED_FILES = ("setup.cfg", "setup.py", "pyproject.toml")
COVERED_BY = {"all": ("all", "dev"), "dev": ("dev",)}


def prepare(root: Path, virtual_environment: Path, extra: str) -> None:
    """Make the virtual environment where there is none that works, and install captchad with `extra` into it."""
    if not _works(virtual_environment):
        arguments = [sys.executable, "-m", "venv", "--clear", str(virtual_environment)]
        run("Making the virtual environment in .venv", arguments, INSTALL_TIMEOUT_SECONDS)
    fingerprint = _fingerprint(root)
    if any(_read(_stamp(virtual_environment, name)) == fingerprint for name in COVERED_BY[extra]):
        say("  Python packages: already there")
        return
    pip = [str(virtual_environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-input", "-e", f"{root}[{extra}]"]
    run("Installing Python packages (a minute or two)", install, INSTALL_TIMEOUT_SECONDS)
    _stamp(virtual_environment, extra).write_text(fingerprint)


def _works(virtual_environment: Path) -> bool:
    python = virtual_environment / "bin" / "python"
    if not python.exists():
        return False
    code = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([str(python), "-c", code], capture_output=True, check=False).returncode == 0


def _stamp(virtual_environment: Path, extra: str) -> Path:
    return virtual_environment / f".captchad-{extra}"


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256(str(root).encode())
    for name in STAMPED_FILES:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
