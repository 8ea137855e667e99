"""The configuration of a deployed host as its units read it."""

from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.config.settings import Configuration
from captchad.deployment.systemd import layout
from captchad.deployment.systemd.environment_file import parse_environment_file
from captchad.deployment.systemd.wanted import Found, Wanted
from captchad.domain.errors import DeploymentFailed


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
    pairs = {
        "environment": (configuration.environment, wanted.environment),
        "deployment_mode": (configuration.deployment_mode, wanted.mode),
        "worker_nodes_count": (configuration.worker_nodes_count, wanted.workers),
    }
    for name, (given, asked) in pairs.items():
        if given != asked:
            raise DeploymentFailed(
                f"{layout.ENVIRONMENT_FILE} sets {name} to {given}, and the units would take that instead of {asked}: "
                "take it out there"
            )


def read_environment(found: Found) -> dict[str, str]:
    """Return what captchad.env sets."""
    file = found.files.get(layout.ENVIRONMENT_FILE)
    return parse_environment_file(file.text) if file is not None and file.text else {}
