"""What the driver starts in the browser's place: a script that gives up root's privileges and becomes the browser."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from captchad.browser.confinement import BrowserUser

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
"""All of our environment that a browser needs; passwords of captchad's are in the rest."""

LAUNCHER_NAME = "launch"
LAUNCHER_MODE = 0o700
_LAUNCHER = """\
#!/bin/sh
# The driver has made the profile's folder as root.
for argument; do
    case $argument in --user-data-dir=*) chown {owner} "${{argument#*=}}" || exit 1 ;; esac
done
cd {folder} && exec {command} "$@"
"""


def write_launcher(folder: Path, user: BrowserUser, executable: str, writable: Path) -> str:
    """Write the script that runs `executable` as `user`; give its path. Only root can use it."""
    script = folder / LAUNCHER_NAME
    command = shlex.join([*user.drop_command(), executable])
    text = _LAUNCHER.format(owner=f"{user.user_id}:{user.group_id}", folder=shlex.quote(str(writable)), command=command)
    script.write_text(text, encoding="utf-8")
    script.chmod(LAUNCHER_MODE)
    return str(script)


def browser_environment(own: Mapping[str, str], home: Path, temporary: Path) -> dict[str, str]:
    """Give the environment of a browser: what it needs of ours, and folders that are its own."""
    passed = {name: own[name] for name in PASSED_ON if name in own}
    return {**passed, "HOME": str(home), "TMPDIR": str(temporary)}
