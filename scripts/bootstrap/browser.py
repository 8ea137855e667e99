"""Chromium: the one that is there, else Playwright's headless shell, else the distribution's."""

import subprocess
from pathlib import Path

from machine import CHROMIUM_COMMANDS, SHELL_COMMANDS, is_on_path, privilege
from steps import SetupFailed, run, say
from system_packages import SystemPackages

DOWNLOAD_TIMEOUT_SECONDS = 900
DRY_RUN_TIMEOUT_SECONDS = 60
CONNECT_TIMEOUT_MS = "15000"
SHELL = "chromium-headless-shell"
FONTS = "fonts-liberation"
DRIVER_LIBRARY = "libatomic1"
"""What Playwright's driver needs beside the browser."""


def prepare(virtual_environment: Path, system_packages: SystemPackages, *, needs_shell: bool) -> None:
    """Make sure that a Chromium is there, or the headless shell itself; raises SetupFailed."""
    fitting = SHELL_COMMANDS if needs_shell else CHROMIUM_COMMANDS
    if is_on_path(fitting) or _is_downloaded(virtual_environment):
        say("  Chromium: already there")
        return
    try:
        _download(virtual_environment)
    except SetupFailed:
        say("  Playwright's Chromium can't be had here; taking the distribution's instead")
        _install_from_distribution(system_packages)


def _is_downloaded(virtual_environment: Path) -> bool:
    """Ask Playwright where its present release keeps the shell, for an upgrade wants another build."""
    command = [str(virtual_environment / "bin" / "playwright"), "install", "--dry-run", SHELL]
    try:
        plan = subprocess.run(command, capture_output=True, text=True, timeout=DRY_RUN_TIMEOUT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    locations = [line.split(":", 1)[1].strip() for line in plan.stdout.splitlines() if "Install location" in line]
    return bool(locations) and (Path(locations[0]) / "INSTALLATION_COMPLETE").exists()


def _download(virtual_environment: Path) -> None:
    """Do what `playwright install --with-deps` does, in the other order: a refused download costs no libraries."""
    playwright = str(virtual_environment / "bin" / "playwright")
    environment = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": CONNECT_TIMEOUT_MS}
    run("Downloading Chromium (headless shell)", [playwright, "install", SHELL], DOWNLOAD_TIMEOUT_SECONDS, environment)
    run(
        "Installing the libraries Chromium needs",
        [*(privilege() or []), playwright, "install-deps", SHELL],
        DOWNLOAD_TIMEOUT_SECONDS,
        {"DEBIAN_FRONTEND": "noninteractive"},
    )


def _install_from_distribution(system_packages: SystemPackages) -> None:
    try:
        system_packages.install([SHELL, FONTS, DRIVER_LIBRARY])
    except SetupFailed:
        if is_on_path(CHROMIUM_COMMANDS):
            say("  The distribution has no headless shell; the Chromium that is there does too, though slower")
        else:
            system_packages.install(["chromium", FONTS, DRIVER_LIBRARY])
