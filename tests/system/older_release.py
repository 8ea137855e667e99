"""The release before this one, from the project's own history."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDER_COMMIT = "6439dc2456e2bba077d041e2a18ac70167c1a03b"
"""The last commit of the release before; upgrades of a running fleet are promised from this one, and back to it."""
PARTS = ("captchad", "config", "systemd")


def unpack_older_release(folder: Path) -> Path:
    """Return a folder from which the older release runs with this environment's packages."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", OLDER_COMMIT, *PARTS], capture_output=True, check=False)
    assert done.returncode == 0, f"the history must be there down to {OLDER_COMMIT}: {done.stderr.decode()}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    assert_comes_from(folder)
    return folder


def assert_comes_from(folder: Path) -> None:
    """Assert that a process that is started there is of that release."""
    asked = [sys.executable, "-c", "import captchad; print(captchad.__file__)"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    printed = subprocess.run(asked, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(folder / "captchad/__init__.py")
