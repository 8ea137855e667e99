"""`captchad config`: check a configuration, show it, compare it with the defaults, or begin one."""

import json
import os
from collections.abc import Sequence
from typing import Any

import click

from captchad.cli.command_group import CommandGroup
from captchad.cli.deployed_configuration import find_contradictions, find_decided
from captchad.cli.examples import example
from captchad.cli.failures import describe_problem
from captchad.cli.first_configuration import init
from captchad.cli.options import config_option, json_option, load
from captchad.cli.printing import print_json, print_table, say
from captchad.cli.refusals import list_doubts, list_problems
from captchad.config.changes import changed_settings
from captchad.config.loader import LoadedConfiguration, examine_configuration
from captchad.config.redaction import flatten_redacted, redact
from captchad.config.settings import Configuration
from captchad.domain.errors import ConfigurationProblem
from captchad.domain.exit_codes import EXIT_DONE, EXIT_FAILED
from captchad.domain.node import Role

DEPLOYMENT_SOURCE = "deployment"
"""The source of what a deployed host was asked for, which goes before its configuration."""


@click.group(cls=CommandGroup)
def config() -> None:
    """Check, show, compare or begin the configuration, and print examples."""


config.add_command(init)
config.add_command(example)


@config.command()
@click.argument("file", required=False, type=click.Path())
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="Only what this role would refuse; repeat for several.  [default: all roles]",
)
@json_option
@click.pass_context
def check(ctx: click.Context, file: str | None, roles: Sequence[str], is_json: bool) -> None:
    """Name everything that is wrong in FILE (or in the one in force), each with its path; exit 1 if anything is.

    Wrong is also what a role would refuse to start with on this machine. Warnings name what is allowed but probably a
    mistake.
    """
    examined = examine_configuration(file, os.environ)
    problems = list_problems(examined, [Role(role) for role in roles] or tuple(Role))
    doubts = list_doubts(examined)
    if not problems:
        doubts += find_contradictions(examined.loaded, find_decided(examined.loaded.path))
    _print_findings(problems, doubts, is_json)
    if not is_json and not problems:
        where = str(examined.loaded.path) if examined.loaded.path else "no file, defaults and environment alone"
        say(f"{where}: {_judge(len(doubts))}")
    ctx.exit(EXIT_FAILED if problems else EXIT_DONE)


@config.command()
@config_option
@json_option
def show(config_path: str | None, is_json: bool) -> None:
    """Show every setting in force, secrets hidden; of a deployed host, also what its deployment decides."""
    loaded = load(config_path)
    decided = find_decided(loaded.path)
    configuration = loaded.configuration.model_copy(update=decided)
    if is_json:
        print_json(redact(configuration))
        return
    sources = {**loaded.sources, **dict.fromkeys(decided, DEPLOYMENT_SOURCE)}
    shown = flatten_redacted(configuration)
    rows = ((path, _show(value), sources.get(path, "default")) for path, value in shown.items())
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
    before, after = flatten_redacted(defaults), flatten_redacted(loaded.configuration)
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


def _judge(doubts: int) -> str:
    """Return one word for a configuration that can be used, and not `good` where it is doubtful."""
    return "good" if not doubts else f"usable, with {doubts} warning{'s' if doubts > 1 else ''}"


def _print_findings(
    problems: Sequence[ConfigurationProblem], warnings: Sequence[ConfigurationProblem], is_json: bool
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


def _show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
