"""`captchad config`: check a configuration, show the one in force, or what in it differs from the defaults."""

import json
import os
from typing import Any

import click

from captchad.cli.failures import describe_problem
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say
from captchad.config.changes import changed_settings
from captchad.config.json_file import join_path
from captchad.config.loader import LoadedConfiguration, load_configuration
from captchad.config.redaction import redact
from captchad.config.settings import Configuration
from captchad.config.start_rules import check_start_rules, unbuilt_settings
from captchad.domain.errors import ConfigurationError, ConfigurationProblem
from captchad.domain.exit_codes import EXIT_FAILED
from captchad.domain.node import Role


@click.group()
def config() -> None:
    """Check, show or compare the configuration."""


@config.command()
@click.argument("file", required=False)
@json_option
@click.pass_context
def check(ctx: click.Context, file: str | None, is_json: bool) -> None:
    """Name everything that is wrong in FILE (or in the one in force), each with its path; exit 1 if anything is.

    Warnings name what is allowed but probably a mistake, and why a role would refuse to start.
    """
    try:
        loaded = load_configuration(file, os.environ)
    except ConfigurationError as error:
        _print_findings(error.problems, (), is_json)
        ctx.exit(EXIT_FAILED)
    warnings = (*loaded.warnings, *_refusals(loaded.configuration))
    _print_findings((), warnings, is_json)
    if not is_json:
        say(f"{loaded.path}: good" if loaded.path else "good: no file, defaults and environment alone")


@config.command()
@config_option
@json_option
def show(config_path: str | None, is_json: bool) -> None:
    """Show every setting in force, secrets hidden."""
    loaded = load(config_path)
    if is_json:
        print_json(redact(loaded.configuration))
        return
    shown = _flatten(redact(loaded.configuration))
    rows = ((path, _show(value), loaded.sources.get(path, "default")) for path, value in shown.items())
    print_table(("SETTING", "VALUE", "SOURCE"), rows, "")


@config.command()
@config_option
@json_option
def diff(config_path: str | None, is_json: bool) -> None:
    """Show the settings that differ from the defaults, and where each was set."""
    loaded = load(config_path)
    found = _differences(loaded)
    if is_json:
        print_json(found)
        return
    rows = ((one["path"], _show(one["default"]), _show(one["value"]), one["source"]) for one in found)
    print_table(("SETTING", "DEFAULT", "VALUE", "SOURCE"), rows, "everything is as by default")


def _differences(loaded: LoadedConfiguration) -> list[dict[str, Any]]:
    defaults = Configuration()
    changes = changed_settings(defaults, loaded.configuration)
    before, after = _flatten(redact(defaults)), _flatten(redact(loaded.configuration))
    return [
        {
            "path": path,
            "default": before.get(path),
            "value": after.get(path),
            "source": str(loaded.sources.get(path, "default")),
        }
        for path in sorted((*changes.reloadable, *changes.need_restart))
        if path in after
    ]


def _refusals(configuration: Configuration) -> list[ConfigurationProblem]:
    """Return why roles would refuse to start, each reason once with the roles it concerns."""
    roles: dict[tuple[str, str], list[str]] = {}
    for role in Role:
        for problem in (*check_start_rules(configuration, role), *unbuilt_settings(configuration, role)):
            message = problem.message.removeprefix(f"the {role} does not start ")
            roles.setdefault((problem.path, message), []).append(role)
    return [
        ConfigurationProblem(path, f"{_name_roles(concerned)} will not start: {message}")
        for (path, message), concerned in roles.items()
    ]


def _name_roles(roles: list[str]) -> str:
    return "every role" if len(roles) == len(Role) else " and ".join(roles)


def _print_findings(
    problems: tuple[ConfigurationProblem, ...], warnings: tuple[ConfigurationProblem, ...], is_json: bool
) -> None:
    if is_json:
        print_json(
            {
                "valid": not problems,
                "problems": [_represent(problem) for problem in problems],
                "warnings": [_represent(warning) for warning in warnings],
            }
        )
        return
    for problem in problems:
        say(f"captchad: {describe_problem(problem)}", is_error=True)
    for warning in warnings:
        say(f"captchad: warning: {describe_problem(warning)}", is_error=True)


def _represent(problem: ConfigurationProblem) -> dict[str, str]:
    return {"path": problem.path, "message": problem.message, "source": problem.source}


def _flatten(tree: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Return a redacted configuration's settings by their dotted paths, as the loader names them."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        here = join_path(path, name)
        is_section = isinstance(value, dict) and here not in _MAPPINGS
        found |= _flatten(value, here) if is_section else {here: value}
    return found


_MAPPINGS = frozenset({"recognition.models"})
"""Settings whose value is an object of the operator's own keys, not a section."""


def _show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
