"""Loads the configuration: file, then environment, then flags; everything wrong is reported at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import ValidationError

from captchad.config.doubts import find_doubts
from captchad.config.environment import (
    CONFIGURATION_PATH_VARIABLE,
    REDIS_PASSWORD_VARIABLE,
    find_misspelt_variables,
    read_environment,
)
from captchad.config.explanations import explain
from captchad.config.formats import find_format_problems
from captchad.config.json_file import read_file
from captchad.config.layers import GivenValue, Layers, Provenance, Source
from captchad.config.redaction import flatten
from captchad.config.secrets_file import find_secrets_file
from captchad.config.settings import Configuration, TargetSection
from captchad.config.targets import check_targets, normalise_declared_host
from captchad.config.validation import salvage, validate
from captchad.domain.errors import ConfigurationError, ConfigurationProblem

SEARCHED_PATHS = (Path("config/distributed.json"), Path("/etc/captchad/distributed.json"))


@dataclass(frozen=True, slots=True)
class LoadedConfiguration:
    """A valid configuration and where it comes from.

    `path` is None where no file was found; `sources` maps every setting to its source; `warnings` names what is
    allowed but probably a mistake.
    """

    configuration: Configuration
    path: Path | None
    sources: Mapping[str, Source]
    warnings: tuple[ConfigurationProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a configuration: everything that is wrong, and the rest of it.

    Where something is wrong, its settings are as by default in `loaded`, which then has no warnings.
    """

    loaded: LoadedConfiguration
    problems: tuple[ConfigurationProblem, ...]


def load_configuration(
    path: str | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    today: date | None = None,
) -> LoadedConfiguration:
    """Load the configuration as a role does; ConfigurationError names everything that is wrong.

    `path` is --config's value; `overrides` maps dotted paths to the values of flags, None meaning not given.
    """
    examined = examine_configuration(path, environment, overrides, today)
    if examined.problems:
        raise ConfigurationError(examined.problems)
    return examined.loaded


def examine_configuration(
    path: str | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    today: date | None = None,
) -> Examination:
    """Load the configuration as far as it is right, and find what is wrong in it."""
    layers = Layers()
    file_path = find_file(path, environment)
    problems: list[ConfigurationProblem] = []
    if file_path is not None:
        parsed = read_file(file_path)
        problems += parsed.problems
        layers.lay(GivenValue((), parsed.tree, Provenance(Source.FILE, str(file_path))))
    secrets_path = find_secrets_file(file_path, environment)
    if secrets_path is not None:
        parsed = read_file(secrets_path)
        problems += parsed.problems
        layers.lay(GivenValue((), parsed.tree, Provenance(Source.FILE, str(secrets_path))))
    _lay_over(layers, environment, overrides or {})
    problems += _find_wrong_values(layers)
    problems += find_format_problems(layers)
    findings = check_targets(_read_targets(layers), today or _today(), layers.label_of("security.targets"))
    known = {problem.path for problem in problems}
    problems += [problem for problem in findings.problems if problem.path not in known]
    if problems:
        rest = salvage(Configuration, layers.tree, [problem.path for problem in problems]) or Configuration()
        return Examination(LoadedConfiguration(rest, file_path, {}), tuple(problems))
    configuration = _normalise_targets(validate(Configuration, layers.tree))
    doubts = [
        ConfigurationProblem(path, message, layers.label_of(path)) for path, message in find_doubts(configuration)
    ]
    warnings = (*findings.warnings, *find_misspelt_variables(environment), *doubts)
    loaded = LoadedConfiguration(configuration, file_path, _find_sources(configuration, layers), warnings)
    return Examination(loaded, ())


def find_file(path: str | None, environment: Mapping[str, str]) -> Path | None:
    """Return the configuration file: the named one, else the first that exists where it is searched for."""
    named = path or environment.get(CONFIGURATION_PATH_VARIABLE)
    if named:
        return Path(named)
    return next((candidate for candidate in SEARCHED_PATHS if candidate.exists()), None)


def _today() -> date:
    # Config lies below the runtime's clock; this default is for the commands that load before there is one.
    return datetime.now(UTC).date()  # noqa: TID251


def _lay_over(layers: Layers, environment: Mapping[str, str], overrides: Mapping[str, object]) -> None:
    for given in read_environment(environment):
        layers.lay(given)
    command_line = Provenance(Source.FLAG, "command line")
    for name, value in overrides.items():
        if value is not None:
            layers.lay(GivenValue(tuple(name.split(".")), value, command_line))
    _place_password(layers, environment.get(REDIS_PASSWORD_VARIABLE, ""))


def _place_password(layers: Layers, password: str) -> None:
    """Put REDIS_PASSWORD where the Redis that will be used looks for it: into the URL, else into master.

    It wins over the file's password, but not over one that another variable or a flag names.
    """
    url, provenance = layers.read("redis.url"), layers.provenance_of("redis.url")
    if not password:
        return
    if not isinstance(url, str) or not url or provenance is None:
        given = layers.provenances.get("redis.master.password")
        if given is None or given.source is Source.FILE:
            variable = Provenance(Source.ENVIRONMENT, f"environment variable {REDIS_PASSWORD_VARIABLE}")
            layers.lay(GivenValue(("redis", "master", "password"), password, variable))
        return
    layers.lay(GivenValue(("redis", "url"), _secure_url(url, password, provenance.source is Source.FILE), provenance))


def _secure_url(url: str, password: str, is_replaced: bool) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    user, _, place = parts.netloc.rpartition("@")
    name, has_password, _ = user.partition(":")
    if has_password and not is_replaced:
        return url
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{place}"))


def _find_wrong_values(layers: Layers) -> list[ConfigurationProblem]:
    try:
        validate(Configuration, layers.tree)
    except ValidationError as error:
        return explain(error, layers)
    return []


def _read_targets(layers: Layers) -> list[tuple[int, TargetSection]]:
    """Return the targets as far as they can be read, so that all errors come at once."""
    given = layers.read("security.targets")
    read = ((index, salvage(TargetSection, one)) for index, one in enumerate(given if isinstance(given, list) else ()))
    return [(index, target) for index, target in read if target is not None]


def _normalise_targets(configuration: Configuration) -> Configuration:
    security = configuration.security
    targets = tuple(
        target.model_copy(update={"host": normalise_declared_host(target.host)}) for target in security.targets
    )
    return configuration.model_copy(update={"security": security.model_copy(update={"targets": targets})})


def _find_sources(configuration: Configuration, layers: Layers) -> dict[str, Source]:
    sources = {}
    for path in flatten(configuration):
        provenance = layers.provenance_of(path)
        sources[path] = provenance.source if provenance else Source.DEFAULT
    return sources
