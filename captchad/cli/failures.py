"""Turns failures into lines on stderr that say what to do, and into exit codes."""

import os
import sys
import traceback
from collections.abc import Callable

import click

from captchad.cli.printing import OutputFailed, say, written_out
from captchad.domain.errors import (
    CaptchadError,
    ConfigurationError,
    ConfigurationProblem,
    GatewayUnreachable,
    InvalidRequest,
)
from captchad.domain.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_WRONG_USAGE

_ADVICE = {
    "gateway_unreachable": "start captchad with `captchad up`, or name another gateway with --gateway",
    "unauthorized": "give a valid key with --api-key or CAPTCHAD_API_KEY; `captchad keys create NAME` makes one",
    "key_not_found": "see `captchad keys list`",
    "broker_unavailable": "see `captchad doctor`",
}


def run_guarded(act: Callable[[], object], is_debug: bool) -> int:
    """Run a command; return its exit code, and print what went wrong as one line, with a traceback on request."""
    if sys.stdout is None:
        # Before anything is done: what is opened next would take its place.
        say("captchad: standard output is closed; where nobody reads it, add >/dev/null", is_error=True)
        return EXIT_FAILED
    try:
        result = act()
        with written_out():
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_unwritten()
        return EXIT_FAILED
    except (Exception, KeyboardInterrupt) as caught:  # noqa: BLE001
        error = _name_output(caught)
        for row in traceback.format_exc().splitlines() if is_debug else ():
            say(row, is_error=True)
        lines, code = _explain(error)
        for line in lines:
            say(f"captchad: {_one_line(line)}", is_error=True)
        return code
    return result if isinstance(result, int) else EXIT_DONE


def _name_output(error: BaseException) -> BaseException:
    """Return a failure to write standard output as such, also where it was not met by `printing`: in a help text."""
    _drop_unwritten()
    frames = list(traceback.walk_tb(error.__traceback__))
    is_printing = bool(frames) and frames[-1][0].f_code is click.echo.__code__  # noqa: TID251 - click prints the help
    return OutputFailed(error) if isinstance(error, OSError) and is_printing else error


def _drop_unwritten() -> None:
    """Drop what standard output does not take: it would fail a second time at the interpreter's end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: BaseException) -> tuple[list[str], int]:
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "captchad"
        return [f"{_end_clause(_word_usage(error))} see `{command} --help`"], EXIT_WRONG_USAGE
    if isinstance(error, click.ClickException):
        return [error.format_message()], EXIT_FAILED
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return ["interrupted"], EXIT_FAILED
    if isinstance(error, CaptchadError):
        return describe_failure(error), EXIT_FAILED
    if isinstance(error, OSError) and error.filename and error.strerror:
        return [f"{error.filename}: {error.strerror.lower()}"], EXIT_FAILED
    named = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return [f"{named} — run again with --debug for the traceback"], EXIT_FAILED


def _word_usage(error: click.UsageError) -> str:
    if not isinstance(error, click.NoSuchOption):
        return error.format_message()
    from difflib import get_close_matches  # noqa: PLC0415

    nearest = get_close_matches(error.option_name, error.possibilities or (), n=1)
    meant = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"there is no option {error.option_name}{meant}"


def describe_failure(error: CaptchadError) -> list[str]:
    """Return the lines that say what failed: one, or one for each wrong setting."""
    if isinstance(error, ConfigurationError):
        return [describe_problem(problem) for problem in error.problems]
    message = error.message
    if isinstance(error, InvalidRequest) and error.violations:
        message += ": " + "; ".join(f"{one.pointer or '/'} {one.message}" for one in error.violations)
    # Where something answers that is no gateway, the message has it already.
    is_said = isinstance(error, GatewayUnreachable) and error.is_something_there
    advice = None if is_said else _ADVICE.get(error.code)
    return [f"{message.rstrip('.')} — {advice}" if advice else message]


def describe_problem(problem: ConfigurationProblem) -> str:
    """Return a wrong setting as one line: its path, what is wrong, and where it was set."""
    where = f" ({problem.source})" if problem.source else ""
    return f"{problem.path}: {problem.message}{where}" if problem.path else f"{problem.message}{where}"


def _end_clause(message: str) -> str:
    """End a message so that another clause can follow it."""
    return message if message.endswith("?") else f"{message.rstrip('.')};"


def _one_line(text: str) -> str:
    return " ".join(text.split())
