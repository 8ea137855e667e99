"""The distribution's packages; its lists are brought up to date only where something must be installed."""

from machine import privilege
from steps import SetupFailed, run

APT_TIMEOUT_SECONDS = 1200
POLICY_FILE = "/usr/sbin/policy-rc.d"
WITHOUT_SERVICES = """
policy=$1
shift
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
fi
"$@"
"""
"""Runs a command while the distribution's own rule keeps packages from starting their services: only the programs
are wanted, not a Redis on its usual port."""


class SystemPackages:
    """Installs packages with apt-get, as root or through sudo, without a question."""

    def __init__(self) -> None:
        self._has_fresh_lists = False

    def install(self, packages: list[str]) -> None:
        """Install `packages` without what they merely recommend; raises SetupFailed."""
        prefix = privilege()
        if prefix is None:
            raise SetupFailed(f"Please run: sudo apt-get install -y {' '.join(packages)}")
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
        if not self._has_fresh_lists:
            run("Bringing the package lists up to date", [*prefix, *apt, "update"], APT_TIMEOUT_SECONDS)
            self._has_fresh_lists = True
        install = [*apt, "install", "-y", "--no-install-recommends", *packages]
        quietly = [*prefix, "sh", "-c", WITHOUT_SERVICES, "sh", POLICY_FILE, *install]
        run(f"Installing {', '.join(packages)}", quietly, APT_TIMEOUT_SECONDS)
