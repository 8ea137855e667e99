"""What is there on this machine, and what may be done to it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SHELL_COMMANDS = ("chromium-headless-shell",)
CHROMIUM_COMMANDS = (*SHELL_COMMANDS, "chromium", "chromium-browser")
REDIS_COMMANDS = ("redis-server", "valkey-server")
VENV_PACKAGE = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
SENTINEL_COMMANDS = ("redis-sentinel", "valkey-sentinel")


@dataclass(frozen=True)
class Machine:
    """What the set-up decides by; a pure value, so that every decision can be tried on any machine."""

    has_venv: bool
    has_redis: bool
    has_sentinel: bool
    has_promtool: bool
    has_amtool: bool
    has_nginx: bool
    has_tesseract: bool
    has_chromium: bool
    has_shell: bool
    has_java: bool
    has_npm: bool
    has_chromedriver: bool
    has_bootable_systemd: bool
    can_install: bool


@dataclass(frozen=True)
class Wanted:
    """What one purpose of the set-up needs; any Chromium does for a look, the headless shell is what is tested."""

    extra: str
    needs_redis: bool
    needs_tesseract: bool
    needs_chromium: bool
    needs_shell: bool = False
    needs_grid: bool = False
    needs_systemd: bool = False


PURPOSES = {
    "demo": Wanted(extra="all", needs_redis=False, needs_tesseract=False, needs_chromium=True),
    "check": Wanted(extra="dev", needs_redis=False, needs_tesseract=False, needs_chromium=False),
    "test": Wanted(
        extra="dev",
        needs_redis=True,
        needs_tesseract=True,
        needs_chromium=True,
        needs_shell=True,
        needs_grid=True,
        needs_systemd=True,
    ),
}


def missing_packages(machine: Machine, wanted: Wanted) -> list[str]:
    """Name the distribution's packages that must be there before Python packages and the browser are fetched."""
    packages = []
    if not machine.has_venv:
        packages.append(VENV_PACKAGE)
    if wanted.needs_redis and not machine.has_redis:
        packages.append("redis-server")
    if wanted.needs_redis and not machine.has_sentinel:
        packages.append("redis-sentinel")
    if wanted.needs_redis and not machine.has_promtool:
        packages.append("prometheus")
    if wanted.needs_redis and not machine.has_amtool:
        packages.append("prometheus-alertmanager")
    if wanted.needs_redis and not machine.has_nginx:
        packages.append("nginx")
    if wanted.needs_tesseract and not machine.has_tesseract:
        packages.append("tesseract-ocr")
    if wanted.needs_grid:
        packages += missing_grid_packages(machine)
    if wanted.needs_systemd and not machine.has_bootable_systemd:
        packages += ["systemd-container", "dbus"]
    return packages


def missing_grid_packages(machine: Machine) -> list[str]:
    """Name what a Selenium Grid with Chromium needs; the driver brings the browser of its own version along."""
    needed = {
        "default-jre-headless": machine.has_java,
        "npm": machine.has_npm,
        "chromium-driver": machine.has_chromedriver,
    }
    return [package for package, is_there in needed.items() if not is_there]


def packages_to_ask_for(machine: Machine, wanted: Wanted) -> list[str]:
    """Name everything a person must install where the set-up itself may not."""
    packages = missing_packages(machine, wanted)
    is_there = machine.has_shell if wanted.needs_shell else machine.has_chromium
    if wanted.needs_chromium and not is_there:
        packages.append("chromium-headless-shell")
    return packages


def inspect_machine(virtual_environment: Path) -> Machine:
    """Look at this machine; nothing is changed."""
    return Machine(
        has_venv=(virtual_environment / "bin" / "pip").exists() or can_make_virtual_environment(),
        has_redis=is_on_path(REDIS_COMMANDS),
        has_sentinel=is_on_path(SENTINEL_COMMANDS),
        has_promtool=is_on_path(("promtool",)),
        has_amtool=is_on_path(("amtool",)),
        has_nginx=is_on_path(("nginx",)) or Path("/usr/sbin/nginx").exists(),
        has_tesseract=is_on_path(("tesseract",)),
        has_chromium=is_on_path(CHROMIUM_COMMANDS) or has_downloaded_shell(),
        has_shell=is_on_path(SHELL_COMMANDS) or has_downloaded_shell(),
        has_java=is_on_path(("java",)),
        has_npm=is_on_path(("npm",)),
        has_chromedriver=is_on_path(("chromedriver",)),
        # Root alone can boot one; everybody else is told by the test itself, which is then skipped.
        has_bootable_systemd=os.geteuid() != 0 or (is_on_path(("systemd-nspawn",)) and is_on_path(("dbus-daemon",))),
        can_install=shutil.which("apt-get") is not None and privilege() is not None,
    )


def is_on_path(commands: tuple[str, ...]) -> bool:
    """Say whether any of `commands` can be run."""
    return any(shutil.which(command) for command in commands)


def can_make_virtual_environment() -> bool:
    """Say whether this Python brings venv and ensurepip, which distributions put into a package of their own."""
    return all(importlib.util.find_spec(module) is not None for module in ("venv", "ensurepip"))


def has_downloaded_shell() -> bool:
    """Say whether Playwright has fetched a headless shell for this user already."""
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return any(folder.glob("chromium_headless_shell-*/INSTALLATION_COMPLETE"))


def privilege() -> list[str] | None:
    """Return the prefix of a command that changes the system: none for root, sudo without a password, or None."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return [sudo, "-n"] if asked.returncode == 0 else None
