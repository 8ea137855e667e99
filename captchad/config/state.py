"""Finds the folder for what outlives a process: the embedded Redis's data, evidence, models."""

from collections.abc import Mapping
from pathlib import Path

STATE_VARIABLE = "CAPTCHAD_STATE_DIRECTORY"
UNIT_VARIABLE = "STATE_DIRECTORY"
_NAME = "captchad"


def names_state_directory(environment: Mapping[str, str]) -> bool:
    """Say whether somebody, or systemd for a unit, has named the state folder."""
    return bool(environment.get(STATE_VARIABLE) or environment.get(UNIT_VARIABLE))


def resolve_state_directory(environment: Mapping[str, str]) -> Path:
    """Return the state folder, which need not exist yet: ours, systemd's, then the user's by the XDG rules."""
    if environment.get(STATE_VARIABLE):
        return Path(environment[STATE_VARIABLE]).expanduser().absolute()
    if environment.get(UNIT_VARIABLE):
        # systemd separates several folders by colons; the unit's first one is ours.
        return Path(environment[UNIT_VARIABLE].partition(":")[0]).absolute()
    if environment.get("XDG_STATE_HOME"):
        return Path(environment["XDG_STATE_HOME"]).absolute() / _NAME
    home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
    return home / ".local" / "state" / _NAME
