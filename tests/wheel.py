"""The wheel, built of a copy of the sources as pip would build it."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
FOLDERS = ("captchad", "config", "systemd", "tests")
OWN_CONFIGURATION = "config/distributed.json"


def build_wheel(folder: Path) -> Path:
    """Build the wheel in `folder`, with what is installed here; what an earlier build left elsewhere can't get in.

    The sources have somebody's own configuration beside the example.
    """
    sources = folder / "sources"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, sources / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, sources)
    (sources / OWN_CONFIGURATION).write_text("{}")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*pip, "--wheel-dir", str(folder), str(sources)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
