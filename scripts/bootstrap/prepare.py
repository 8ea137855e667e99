"""Sets this machine up for `make demo` or `make test`: uses what is there, installs what is not."""

import sys
from pathlib import Path

import browser
import oldest_redis
import python_packages
import selenium_grid
from machine import PURPOSES, inspect_machine, missing_packages, packages_to_ask_for
from steps import SetupFailed, say
from system_packages import SystemPackages

ROOT = Path(__file__).resolve().parents[2]
VIRTUAL_ENVIRONMENT = ROOT / ".venv"
EXIT_FAILED = 1
EXIT_USAGE = 2


def main(arguments: list[str]) -> int:
    """Set up for the purpose named in `arguments`; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in PURPOSES:
        print(f"usage: prepare.sh {'|'.join(PURPOSES)}", file=sys.stderr)
        return EXIT_USAGE
    say(f"Setting up for make {arguments[0]}:")
    try:
        prepare(arguments[0])
    except SetupFailed as error:
        print(f"\nThe set-up failed. {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def prepare(purpose: str) -> None:
    """Do every step of the set-up; raises SetupFailed with what to do."""
    wanted = PURPOSES[purpose]
    machine = inspect_machine(VIRTUAL_ENVIRONMENT)
    asked_for = packages_to_ask_for(machine, wanted)
    if asked_for and not machine.can_install:
        raise SetupFailed(
            "These packages are missing, and installing them takes root or sudo without a password. "
            f"Please run this once, then make {purpose} again:\n\n"
            f"    sudo apt-get install -y {' '.join(asked_for)}\n\n"
            "(without sudo: the same line, without its first word, in a shell of root)"
        )
    system_packages = SystemPackages()
    missing = missing_packages(machine, wanted)
    if missing:
        system_packages.install(missing)
    else:
        say("  System packages: already there")
    python_packages.prepare(ROOT, VIRTUAL_ENVIRONMENT, wanted.extra)
    if wanted.needs_redis:
        oldest_redis.prepare(VIRTUAL_ENVIRONMENT)
    if wanted.needs_chromium:
        browser.prepare(VIRTUAL_ENVIRONMENT, system_packages, needs_shell=wanted.needs_shell)
    if wanted.needs_grid:
        selenium_grid.prepare(VIRTUAL_ENVIRONMENT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
