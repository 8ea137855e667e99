"""Sees whether this host could join another, as `captchad deploy --join FILE` does before it changes anything.

Started as a process, as a command is, with the file and with a configuration that the host has already (or "").
"""

import sys

from captchad.cli.joining import check_joining, read_joining
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.wanted import Found, FoundFile
from captchad.domain.errors import CaptchadError
from captchad.domain.node import Role
from tests.unit.deployment.systemd.host_model import want


def main() -> None:
    """Print what stands in the way."""
    file, configuration = sys.argv[1:]
    found = Found(files={layout.CONFIGURATION: FoundFile(configuration, 0o644)} if configuration else {})
    try:
        joining = read_joining({"join": file}, found)
        check_joining(want(mode="multi", joining=joining, has_own_redis=False, roles=(Role.WORKER,)), found)
    except CaptchadError as error:
        print(error.message)


if __name__ == "__main__":
    main()
