"""`captchad monitor`: where the monitor's page is."""

import os
import sys
import webbrowser

import click

from captchad.cli.printing import say
from captchad.config.loader import examine_configuration
from captchad.domain.node import Role
from captchad.domain.ports import LOOPBACK_HOST, ROLE_PORTS


@click.command()
def monitor() -> None:
    """Open the monitor's page where there is a desktop, else print its address."""
    configuration = examine_configuration(None, os.environ).loaded.configuration
    url = f"{configuration.find_scheme(Role.MONITOR)}://{LOOPBACK_HOST}:{ROLE_PORTS[Role.MONITOR]}"
    say(url)
    if sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(url)
