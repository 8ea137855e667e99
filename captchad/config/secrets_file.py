"""Finds the file of secrets, which is laid over the configuration file."""

import os
from collections.abc import Mapping
from pathlib import Path

NAME = "secrets.json"
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"


def find_secrets_file(configuration: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the unit's credential of that name, else the file beside the configuration that this user may read."""
    credential = _find_credential(environment)
    if credential is not None:
        return credential
    beside = _find_beside(configuration)
    # One that only root may read is for root's commands and, as a credential, for the roles.
    return beside if beside is not None and os.access(beside, os.R_OK) else None


def find_hidden_secrets(configuration: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file beside the configuration that is there and that this user neither may read nor has been given."""
    if _find_credential(environment) is not None:
        return None
    beside = _find_beside(configuration)
    return beside if beside is not None and beside.exists() and not os.access(beside, os.R_OK) else None


def _find_credential(environment: Mapping[str, str]) -> Path | None:
    credentials = environment.get(CREDENTIALS_VARIABLE)
    found = Path(credentials) / NAME if credentials else None
    return found if found is not None and found.exists() else None


def _find_beside(configuration: Path | None) -> Path | None:
    return configuration.with_name(NAME) if configuration is not None else None
