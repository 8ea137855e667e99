"""The configuration of a deployed host as its units read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from captchad.config.layers import Source
from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.config.settings import Configuration
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.configuration_files import DECIDED
from captchad.deployment.systemd.environment_file import parse_environment_file
from captchad.deployment.systemd.service_user import read_host_request
from captchad.deployment.systemd.wanted import Found, Wanted
from captchad.domain.errors import ConfigurationProblem, DeploymentFailed

_CHANGED_BY = {
    "environment": "captchad deploy -e",
    "deployment_mode": "captchad deploy -m",
    "worker_nodes_count": "captchad scale worker N",
}


def read_as_units(found: Found) -> LoadedConfiguration:
    """Load the configuration with captchad.env over it; what this shell exports is of no concern to the roles."""
    return load_configuration(layout.CONFIGURATION, read_environment(found))


def read_as_decided(wanted: Wanted, found: Found) -> Configuration:
    """Load it with what a deploy has the units told over it; DeploymentFailed where captchad.env says otherwise.

    Where there is no file yet, it is the one that a deploy writes.
    """
    if layout.CONFIGURATION not in found.files:
        return Configuration(environment=wanted.environment, deployment_mode=wanted.mode)
    decided = {
        "ENVIRONMENT": wanted.environment,
        "DEPLOYMENT_MODE": wanted.mode,
        "WORKER_NODES_COUNT": str(wanted.workers),
    }
    configuration = load_configuration(layout.CONFIGURATION, decided | read_environment(found)).configuration
    _check_decided(wanted, configuration)
    return configuration


def _check_decided(wanted: Wanted, configuration: Configuration) -> None:
    for name, asked in list_decided(wanted).items():
        given = getattr(configuration, name)
        if given != asked:
            raise DeploymentFailed(
                f"{layout.ENVIRONMENT_FILE} sets {name} to {given}, and the units would take that instead of {asked}: "
                "take it out there"
            )


def list_decided(wanted: Wanted) -> dict[str, Any]:
    """Return the settings that a deploy decides, whatever the configuration says of them."""
    return {setting: getattr(wanted, member) for member, setting in DECIDED.items()}


def find_decided(path: Path | None) -> dict[str, Any]:
    """Return the settings that this host's deployment decides; none where a configuration is not a deployed host's."""
    request = read_host_request() if path == Path(layout.CONFIGURATION) else {}
    return {setting: request[member] for member, setting in DECIDED.items() if member in request}


def find_contradictions(loaded: LoadedConfiguration, decided: Mapping[str, Any]) -> list[ConfigurationProblem]:
    """Return the settings of a configuration's file that say otherwise than what is decided."""
    return [
        ConfigurationProblem(
            name,
            f"is {given}, but this host's deployment has {value}, which counts ({layout.DEPLOYMENT}): change that with "
            f"`{_CHANGED_BY[name]}`, and take this out",
            str(loaded.path),
        )
        for name, value in decided.items()
        if loaded.sources.get(name) is Source.FILE and (given := getattr(loaded.configuration, name)) != value
    ]


def read_environment(found: Found) -> dict[str, str]:
    """Return what captchad.env sets."""
    file = found.files.get(layout.ENVIRONMENT_FILE)
    return parse_environment_file(file.text) if file is not None and file.text else {}
