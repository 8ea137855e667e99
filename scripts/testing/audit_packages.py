"""Lists what is publicly known against the packages of this environment: pip-audit, in an environment of its own.

Exit code 0: nothing is known against any of them; 1: something is; 2: that can't be told, for the list of
vulnerabilities could not be had, whole or in part.
"""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "bootstrap"))

from python_packages import INSTALL_TIMEOUT_SECONDS  # noqa: E402
from steps import SetupFailed, run, say  # noqa: E402

OWN = "captchad"
AUDITOR = "pip-audit>=2.7,<3"
FOLDER = ROOT / "build" / "audit"
AUDIT_TIMEOUT_SECONDS = 600
EXIT_FOUND, EXIT_UNKNOWN = 1, 2
NAMES_SHOWN = 5


def main() -> int:
    """Audit the packages beside this Python; return the exit code."""
    try:
        auditor = install_auditor()
        found = audit(auditor, list_packages())
    except SetupFailed as failure:
        say(f"whether anything is known can't be told: {failure}")
        return EXIT_UNKNOWN
    vulnerabilities = list(describe_vulnerabilities(found))
    unknown = sorted(one["name"] for one in found if "skip_reason" in one)
    for line in vulnerabilities:
        say(line)
    if unknown:
        names = ", ".join(unknown[:NAMES_SHOWN]) + (", …" if len(unknown) > NAMES_SHOWN else "")
        say(f"of {len(unknown)} of {len(found)} packages nobody could say whether anything is known: {names}")
        say("pip-audit's package index has no list of vulnerabilities, or was not reached; run this where it is")
    if vulnerabilities:
        return EXIT_FOUND
    if unknown:
        return EXIT_UNKNOWN
    say(f"nothing is known against any of {len(found)} packages")
    return 0


def install_auditor() -> Path:
    """Return pip-audit in its own environment, so that it changes nothing of what it looks at."""
    program = FOLDER / "bin" / "pip-audit"
    if not program.exists():
        run("make an environment for pip-audit", [sys.executable, "-m", "venv", str(FOLDER)], INSTALL_TIMEOUT_SECONDS)
        pip = [str(FOLDER / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
        run("install pip-audit", [*pip, AUDITOR], INSTALL_TIMEOUT_SECONDS)
    return program


def list_packages() -> list[str]:
    """Return the installed packages as requirements of just that version."""
    installed = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}
    return sorted(f"{name}=={version}" for name, version in installed.items() if name != OWN)


def audit(program: Path, packages: Iterable[str]) -> list[dict[str, Any]]:
    """Return what is known of each package; SetupFailed where pip-audit itself fails."""
    listed = FOLDER / "packages.txt"
    listed.write_text("\n".join(packages) + "\n")
    command = [str(program), "-r", str(listed), "--no-deps", "--disable-pip", "-f", "json", "--progress-spinner", "off"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=AUDIT_TIMEOUT_SECONDS, check=False)
        found: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        raise SetupFailed(f"pip-audit did not end within {AUDIT_TIMEOUT_SECONDS} s") from None
    except (ValueError, KeyError):
        last = ended.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        raise SetupFailed(f"pip-audit failed: {last[0]}") from None
    return found


def describe_vulnerabilities(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each vulnerability."""
    for package in found:
        for one in package.get("vulns", ()):
            names = ", ".join((one["id"], *one.get("aliases", ())))
            fixed = ", ".join(one["fix_versions"]) or "no release yet"
            yield f"{package['name']} {package['version']}: {names}; fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
