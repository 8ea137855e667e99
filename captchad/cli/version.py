"""`captchad version`: this command's, and the releases of the services."""

from pathlib import Path

import click

from captchad import __version__
from captchad.cli.options import json_option
from captchad.cli.printing import print_json, print_pairs
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.installation import find_installed


@click.command()
@json_option
def version(is_json: bool) -> None:
    """Show the version of this command, and those that are installed for the services."""
    installed = find_installed()
    link = Path(layout.CURRENT)
    current = link.readlink().name if link.is_symlink() else None
    if is_json:
        print_json({"captchad": __version__, "running": current, "installed": sorted(installed)})
        return
    print_pairs([("captchad", __version__), ("services", current), ("installed", " ".join(sorted(installed)) or None)])
