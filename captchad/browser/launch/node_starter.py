"""The program that Playwright takes for node: it becomes node, with what that needs of our environment and no more."""

import shlex
from pathlib import Path

from captchad.browser.launch.launcher import PASSED_ON

NODE_STARTER_NAME = "node"
NODE_STARTER_MODE = 0o700
NODE_PASSED_ON = (
    *PASSED_ON,
    "HOME",
    "TMPDIR",
    # Where Playwright keeps its own browsers.
    "PLAYWRIGHT_BROWSERS_PATH",
    "XDG_CACHE_HOME",
    # What Playwright tells its driver about itself.
    "PW_LANG_NAME",
    "PW_LANG_NAME_VERSION",
    "PW_CLI_DISPLAY_VERSION",
    "DEBUG",
    "NODE_OPTIONS",
    # For browsers elsewhere that are reached by TLS.
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""All of our environment that the driver needs; the rest may hold captchad's passwords."""


def write_node_starter(folder: Path, node: str) -> str:
    """Write the script that starts `node`; return its path."""
    script = folder / NODE_STARTER_NAME
    # Each is passed on only where it is set.
    passed_on = " ".join(f'${{{name}+"{name}=${name}"}}' for name in NODE_PASSED_ON)
    script.write_text(f'#!/bin/sh\nexec env -i {passed_on} {shlex.quote(node)} "$@"\n', encoding="utf-8")
    script.chmod(NODE_STARTER_MODE)
    return str(script)
