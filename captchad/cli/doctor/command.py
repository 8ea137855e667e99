"""`captchad doctor`: checks of this machine, each with its fix."""

import os
from collections.abc import Iterator

import click

from captchad.cli.doctor.browser import check_browser
from captchad.cli.doctor.finding import CheckStatus, Finding, bad, doubtful, good
from captchad.cli.doctor.machine import (
    check_fonts,
    check_open_files,
    check_python,
    check_shared_memory,
    check_state_directory,
)
from captchad.cli.doctor.ports import check_ports
from captchad.cli.doctor.redis import check_redis
from captchad.cli.failures import describe_problem
from captchad.cli.options import config_option, json_option
from captchad.cli.printing import print_json, print_table
from captchad.cli.refusals import list_doubts, list_problems
from captchad.config.loader import Examination, examine_configuration
from captchad.config.settings import Configuration
from captchad.config.state import resolve_state_directory
from captchad.domain.exit_codes import EXIT_FAILED

CORRECTION = "correct it; docs/configuration.md describes every setting"


@click.command()
@config_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, /, config_path: str | None, is_json: bool) -> None:
    """Check this machine, and say how to fix what is wrong; exit 1 if captchad can't run on it."""
    findings = list(_examine(config_path))
    if is_json:
        print_json(
            [
                {"subject": one.subject, "status": one.status.value, "found": one.found, "fix": one.fix}
                for one in findings
            ]
        )
    else:
        rows = ((one.status, one.subject, one.found, one.fix or None) for one in findings)
        print_table(("", "SUBJECT", "FOUND", "FIX"), rows, "")
    ctx.exit(EXIT_FAILED if any(one.status is CheckStatus.FAIL for one in findings) else 0)


def _examine(config_path: str | None) -> Iterator[Finding]:
    yield check_python()
    examined = examine_configuration(config_path, os.environ)
    loaded = None if examined.problems else examined.loaded
    yield from _judge_configuration(examined)
    yield check_state_directory(resolve_state_directory(os.environ))
    yield check_open_files()
    yield from check_ports()
    if loaded is not None:
        yield from check_redis(loaded)
    yield check_shared_memory()
    yield check_fonts()
    yield from check_browser(loaded.configuration if loaded else Configuration())


def _judge_configuration(examined: Examination) -> list[Finding]:
    problems = [bad("configuration", describe_problem(problem), CORRECTION) for problem in list_problems(examined)]
    doubts = [doubtful("configuration", describe_problem(problem), CORRECTION) for problem in list_doubts(examined)]
    where = str(examined.loaded.path) if examined.loaded.path else "no file; defaults and environment"
    return [*problems, *doubts] or [good("configuration", where)]
