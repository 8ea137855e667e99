"""The script the driver starts as the browser: it lowers limits and privileges, then becomes the browser."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from captchad.browser.launch.sandbox import BrowserUser

PASSED_ON = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "LD_LIBRARY_PATH",
    "XDG_DATA_DIRS",
)
"""All of our environment that a browser needs; the rest may hold captchad's passwords."""

LAUNCHER_NAME = "launch"
LAUNCHER_MODE = 0o700
LEAST_PROCESS_BYTES = 1 << 30
"""Enough for Chromium's own processes to start: thread stacks count although they are hardly used."""

_LIMITED = """\
#!/bin/sh
# A page that fills memory must lose its own process, not the machine; a lower limit may be set already.
ulimit -d {limit_kib} 2>/dev/null
"""
_AS_CAPTCHAD = """\
exec {command} "$@"
"""
_AS_USER = """\
# The driver created the profile folder as root.
for argument; do
    case $argument in --user-data-dir=*) chown {owner} "${{argument#*=}}" || exit 1 ;; esac
done
cd {folder} && exec {command} "$@"
"""


@dataclass(frozen=True, slots=True)
class Launch:
    """What is started: `user` is None for captchad's own; no process gets more than `process_bytes` of data memory."""

    executable: str
    user: BrowserUser | None
    process_bytes: int


def write_launcher(folder: Path, launch: Launch, writable: Path) -> str:
    """Write the script that starts a browser; return its path. Only captchad's own account can use it."""
    script = folder / LAUNCHER_NAME
    # ulimit -d counts in KiB.
    limit_kib = max(launch.process_bytes, LEAST_PROCESS_BYTES) // 1024
    script.write_text(_LIMITED.format(limit_kib=limit_kib) + _describe_start(launch, writable), encoding="utf-8")
    script.chmod(LAUNCHER_MODE)
    return str(script)


def _describe_start(launch: Launch, writable: Path) -> str:
    user = launch.user
    if user is None:
        return _AS_CAPTCHAD.format(command=shlex.quote(launch.executable))
    command = shlex.join([*user.drop_command(), launch.executable])
    return _AS_USER.format(owner=f"{user.user_id}:{user.group_id}", folder=shlex.quote(str(writable)), command=command)


def browser_environment(own: Mapping[str, str], home: Path, temporary: Path) -> dict[str, str]:
    """Return the environment of a browser: what it needs of ours, and its own folders."""
    passed = {name: own[name] for name in PASSED_ON if name in own}
    return {**passed, "HOME": str(home), "TMPDIR": str(temporary)}
