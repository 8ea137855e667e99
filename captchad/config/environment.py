"""Reads settings from environment variables: the specification's names, and CAPTCHAD_SECTION__KEY for any key."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from captchad.config.layers import GivenValue, Provenance, Source
from captchad.config.setting_names import all_settings, find_setting
from captchad.config.settings import Configuration
from captchad.domain.errors import ConfigurationProblem

PREFIX = "CAPTCHAD_"
SEPARATOR = "__"
CONFIGURATION_PATH_VARIABLE = "DISTRIBUTED_CONFIG_PATH"
REDIS_PASSWORD_VARIABLE = "REDIS_PASSWORD"  # noqa: S105
SPECIFIED_VARIABLES = {
    "REDIS_URL": "redis.url",
    "REDIS_TLS_ENABLED": "redis.tls.enabled",
    "SELENIUM_HUB_URL": "selenium.hub_url",
    "WORKER_NODES_COUNT": "worker_nodes_count",
    "DEPLOYMENT_MODE": "deployment_mode",
    "ENVIRONMENT": "environment",
}
"""Variables of the specification and the setting each one sets; an empty one counts as unset."""

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def read_environment(environment: Mapping[str, str]) -> Iterator[GivenValue]:
    """Return every setting in the environment; CAPTCHAD_SECTION__KEY comes last, so it wins."""
    for variable, path in SPECIFIED_VARIABLES.items():
        if environment.get(variable):
            yield _give(variable, path, environment[variable])
    for variable in sorted(environment):
        named = setting_path(variable)
        if named is not None:
            yield _give(variable, named, environment[variable])


def setting_path(variable: str) -> str | None:
    """Return the dotted path a CAPTCHAD_… variable sets, or None where it is no setting."""
    if not variable.startswith(PREFIX):
        return None
    name = variable.removeprefix(PREFIX).lower()
    if SEPARATOR not in name and name not in Configuration.model_fields:
        return None
    return ".".join(name.split(SEPARATOR))


def find_misspelt_variables(environment: Mapping[str, str]) -> Iterator[ConfigurationProblem]:
    """Return a warning for every variable that would be a setting, had it two underscores between section and key."""
    spellings = {PREFIX + setting.path.replace(".", "_").upper(): setting.path for setting in all_settings()}
    for variable in sorted(environment):
        path = spellings.get(variable)
        if path is not None and setting_path(variable) is None:
            meant = PREFIX + path.replace(".", SEPARATOR).upper()
            yield ConfigurationProblem(
                path, f"{variable} sets nothing; write {meant}", f"environment variable {variable}"
            )


def _give(variable: str, path: str, text: str) -> GivenValue:
    provenance = Provenance(Source.ENVIRONMENT, f"environment variable {variable}")
    return GivenValue(tuple(path.split(".")), _read_value(path, text), provenance)


def _read_value(path: str, text: str) -> Any:
    setting = find_setting(path)
    if setting is not None and setting.field.annotation is bool:
        return _BOOLEANS.get(text.strip().lower(), text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if setting is None or not setting.is_text or isinstance(value, str):
        return value
    # A password of digits is a text all the same, without quotes around it.
    return None if value is None and setting.is_nullable else text
