"""Finds the state folder that a command is about: with the configuration of a deployed host it is the services' own."""

import os
from pathlib import Path

from captchad.config.state import names_state_directory, resolve_state_directory
from captchad.deployment.systemd import layout
from captchad.domain.errors import DeploymentFailed


def find_state_directory(configuration: Path | None) -> Path:
    """Return the state folder of the installation that a configuration is of; DeploymentFailed where it is root's."""
    if names_state_directory(os.environ) or not _is_deployed(configuration):
        return resolve_state_directory(os.environ)
    folder = Path(layout.STATE_LINKS[0])
    if os.geteuid() != 0:
        raise DeploymentFailed(f"captchad is deployed on this host, and {folder} is root's: run it again with sudo")
    return folder


def _is_deployed(configuration: Path | None) -> bool:
    return configuration == Path(layout.CONFIGURATION) and Path(layout.DEPLOYMENT).exists()
