"""A click group that imports a command only when it is called."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from captchad.cli.command_group import CommandGroup
from captchad.cli.commands import Command
from captchad.domain.errors import DependencyMissing
from captchad.runtime.extras import require

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(CommandGroup):
    """A group whose commands are named in a table; their help lines come from the table too."""

    def __init__(self, *arguments: Any, table: Mapping[str, Command], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order, which is the order of the help."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None where there is none of this name.

        One that can't be imported without its extra has a stand-in, whose help names the extra.
        """
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.location.partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except ModuleNotFoundError:
            missing = _describe_lack(entry)
            if missing is None:
                raise
            return _make_stand_in(cmd_name, entry, missing)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        DependencyMissing names the extra that it needs and this installation lacks, but not to one who asks for the
        help.
        """
        entry = self._table.get(args[0]) if args else None
        is_helped = ctx.resilient_parsing or _asks_for_help(ctx, args)
        if entry is not None and entry.needs is not None and not is_helped:
            require(*entry.needs)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name without importing any; options as usual."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415

        names = [CompletionItem(name, help=entry.help) for name, entry in self._table.items()]
        found = [item for item in names if item.value.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help's list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._table.items()])


def _asks_for_help(ctx: click.Context, arguments: Sequence[str]) -> bool:
    literal = list(arguments).index("--") if "--" in arguments else len(arguments)
    return any(argument in ctx.help_option_names for argument in arguments[:literal])


def _describe_lack(entry: Command) -> str | None:
    """Return the line that names the extra a command lacks, or None where it lacks none."""
    try:
        if entry.needs is not None:
            require(*entry.needs)
    except DependencyMissing as error:
        return error.message
    return None


def _make_stand_in(name: str, entry: Command, missing: str) -> click.Command:
    """Return a command that takes any arguments and has a help, all there is of it without its extra."""
    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, help=entry.help, epilog=f"\b\n{missing}", context_settings=settings)
