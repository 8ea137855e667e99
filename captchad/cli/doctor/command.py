"""`captchad doctor`: checks of this machine, each with its fix."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from captchad.cli.doctor.browser import check_browser
from captchad.cli.doctor.finding import CheckStatus, Finding, Mend, bad, doubtful, good
from captchad.cli.doctor.machine import (
    check_fonts,
    check_open_files,
    check_python,
    check_shared_memory,
    check_state_directory,
)
from captchad.cli.doctor.mends import Outcome, apply_mends, ask_at_terminal, report
from captchad.cli.doctor.ports import check_ports
from captchad.cli.doctor.redis import check_redis
from captchad.cli.failures import describe_problem
from captchad.cli.first_configuration import write_configuration
from captchad.cli.options import config_option, json_option
from captchad.cli.printing import print_json, print_table
from captchad.cli.refusals import list_doubts, list_problems
from captchad.cli.state_folder import find_state_directory
from captchad.config.loader import Examination, examine_configuration
from captchad.config.settings import Configuration
from captchad.domain.errors import DeploymentFailed
from captchad.domain.exit_codes import EXIT_DONE, EXIT_FAILED

CORRECTION = "correct it; docs/configuration.md describes every setting"


@click.command()
@config_option
@click.option("--fix", "is_fixing", is_flag=True, help="Fix what can be fixed safely; nothing is installed unasked.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, /, config_path: str | None, is_fixing: bool, is_json: bool) -> None:
    """Check this machine, and say how to fix what is wrong; exit 1 if captchad can't run on it."""
    findings = list(_examine(config_path))
    mended = apply_mends(findings, None if is_json else ask_at_terminal()) if is_fixing else []
    if any(one.outcome is Outcome.DONE for one in mended):
        findings = list(_examine(config_path))
    if is_json:
        shown = _represent(findings)
        print_json({"mends": [asdict(one) for one in mended], "findings": shown} if is_fixing else shown)
    else:
        report(mended)
        rows = ((one.status, one.subject, one.found, one.fix or None) for one in findings)
        print_table(("", "SUBJECT", "FOUND", "FIX"), rows, "")
    is_bad = any(one.status is CheckStatus.FAIL for one in findings)
    ctx.exit(EXIT_FAILED if is_bad or any(one.outcome is Outcome.FAILED for one in mended) else EXIT_DONE)


def _represent(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {"subject": one.subject, "status": one.status.value, "found": one.found, "fix": one.fix} for one in findings
    ]


def _examine(config_path: str | None) -> Iterator[Finding]:
    yield check_python()
    examined = examine_configuration(config_path, os.environ)
    loaded = None if examined.problems else examined.loaded
    yield from _judge_configuration(examined)
    yield _judge_state_folder(examined.loaded.path)
    yield check_open_files()
    yield from check_ports()
    if loaded is not None:
        yield from check_redis(loaded)
    yield check_shared_memory()
    yield check_fonts()
    yield from check_browser(loaded.configuration if loaded else Configuration())


def _judge_state_folder(configuration: Path | None) -> Finding:
    try:
        return check_state_directory(find_state_directory(configuration))
    except DeploymentFailed:
        return doubtful("state folder", "the services' own, which root alone may read", "run it again with sudo")


def _judge_configuration(examined: Examination) -> list[Finding]:
    path = examined.loaded.path
    if path is not None and not os.path.lexists(path):
        fix = f"captchad config init {path}, or name another with --config or DISTRIBUTED_CONFIG_PATH"
        mend = Mend(f"captchad config init {path}", lambda: write_configuration(path, "development"))
        return [bad("configuration", f"{path} is not there", fix, mend)]
    problems = [bad("configuration", describe_problem(problem), CORRECTION) for problem in list_problems(examined)]
    doubts = [doubtful("configuration", describe_problem(problem), CORRECTION) for problem in list_doubts(examined)]
    where = str(path) if path else "no file; defaults and environment"
    return [*problems, *doubts] or [good("configuration", where)]
