"""Keeps a fleet of one's own apart from whatever else runs on this machine: its environment and its folder."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from captchad.config.environment import (
    CONFIGURATION_PATH_VARIABLE,
    PREFIX,
    REDIS_PASSWORD_VARIABLE,
    SPECIFIED_VARIABLES,
)
from captchad.config.state import STATE_VARIABLE

LONGEST_BASE = 60
SHORT_BASE = "/tmp"  # noqa: S108 -- the folder made in it is private
STATE_FOLDER = "state"
PRIVATE_NAMES = frozenset({*SPECIFIED_VARIABLES, REDIS_PASSWORD_VARIABLE, CONFIGURATION_PATH_VARIABLE})


def make_private_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment without anything that would lead the fleet to another Redis or configuration."""
    kept = {
        name: value for name, value in environment.items() if not name.startswith(PREFIX) and name not in PRIVATE_NAMES
    }
    return {**kept, STATE_VARIABLE: str(folder / STATE_FOLDER)}


def choose_base() -> str:
    """Return the folder for temporary files, or a short one where the embedded server's socket would not fit in."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= LONGEST_BASE else SHORT_BASE
