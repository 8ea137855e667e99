"""The `captchad` command: one role by --role, or one of the commands in the table."""

import faulthandler
import os
import sys
from collections.abc import Sequence

import click

from captchad import __version__
from captchad.cli.commands import COMMANDS
from captchad.cli.failures import run_guarded
from captchad.cli.lazy_group import LazyGroup
from captchad.cli.printing import say
from captchad.domain.exit_codes import EXIT_WRONG_USAGE
from captchad.domain.node import Role
from captchad.domain.ports import HIGHEST_PORT, LOOPBACK_HOST
from captchad.runtime.extras import Extra, require

PROGRAM = "captchad"
COMPLETION_VARIABLE = "_CAPTCHAD_COMPLETE"
DEBUG_FLAG = "--debug"
NAME_LENGTH_LIMIT = 100


def main() -> None:
    """Run the command line of this process and end it with the command's exit code."""
    sys.exit(run_command_line(sys.argv[1:]))


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command line; return its exit code."""
    if COMPLETION_VARIABLE in os.environ:
        from captchad.cli.completion import complete_split_words  # noqa: PLC0415

        complete_split_words()
    is_debug, rest = _take_debug(arguments)
    return run_guarded(lambda: root.main(args=rest, prog_name=PROGRAM, standalone_mode=False), is_debug)


def _take_debug(arguments: Sequence[str]) -> tuple[bool, list[str]]:
    """Take --debug out wherever it stands, so that it can be added at the end of a line that failed."""
    literal = list(arguments).index("--") if "--" in arguments else len(arguments)
    rest = [argument for argument in arguments[:literal] if argument != DEBUG_FLAG]
    return len(rest) != literal, [*rest, *arguments[literal:]]


def _read_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no name: it stands in every log line of the role, in metrics and in Redis."""
    if value is not None and not (0 < len(value) <= NAME_LENGTH_LIMIT and value.isprintable() and value.strip()):
        raise click.BadParameter(f"a name has 1 to {NAME_LENGTH_LIMIT} printable characters")
    return value


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 it failed, 2 wrong usage.",
)
@click.option("--role", type=click.Choice([role.value for role in Role]), help="Start this role, in the foreground.")
@click.option("--config", "config_path", metavar="FILE", type=click.Path(), help="The role's configuration file.")
@click.option("--host", metavar="HOST", help=f"The address the role listens on.  [default: {LOOPBACK_HOST}]")
@click.option(
    "--port", type=click.IntRange(0, HIGHEST_PORT), metavar="PORT", help="The port the role listens on; 0: any."
)
@click.option(
    "--name",
    callback=_read_name,
    metavar="NAME",
    help="The role's name in the fleet.  [default: made from role, host and process]",
)
@click.option(DEBUG_FLAG, is_flag=True, help="Show the traceback of a failure.")
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def root(
    ctx: click.Context,
    role: str | None,
    config_path: str | None,
    host: str | None,
    port: int | None,
    name: str | None,
    debug: bool,
) -> None:
    """Read text captchas on sites you run or are authorised to test.

    Start with `captchad demo`, or with `captchad up` and `captchad submit URL`.
    """
    _refuse_strays(ctx)
    if ctx.invoked_subcommand is not None:
        return
    if role is None:
        for line in ctx.get_help().splitlines():
            say(line, is_error=True)
        ctx.exit(EXIT_WRONG_USAGE)
    require(Extra.WORKER if Role(role) is Role.WORKER else Extra.SERVER, f"the role {role}")
    # What a role's watchdog ends says where it stood.
    faulthandler.enable()
    # A role brings servers and drivers along; the help must not wait for them.
    from captchad.roles.registry import RoleOptions, run_role  # noqa: PLC0415

    options = RoleOptions(config_path=config_path, host=host, port=port, name=name)
    ctx.exit(run_role(Role(role), options))


def _refuse_strays(ctx: click.Context) -> None:
    """Refuse a role together with a command, and a role's options without a role."""
    command, given = ctx.invoked_subcommand, {name for name, value in ctx.params.items() if value is not None}
    if command is not None and "role" in given:
        raise click.UsageError(f"--role starts a role and takes no command, but {command} was given")
    if "role" in given:
        return
    if command is not None and "config_path" in given:
        raise click.UsageError(f"write --config after the command: captchad {command} --config FILE")
    for name in ("config_path", "host", "port", "name"):
        if name in given:
            raise click.UsageError(f"--{name.removesuffix('_path')} goes with --role")
