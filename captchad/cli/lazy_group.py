"""A click group that imports a command only when it is called."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from captchad.cli.commands import Command


class LazyGroup(click.Group):
    """A group whose commands are named in a table; their help lines come from the table too."""

    def __init__(self, *arguments: Any, table: Mapping[str, Command], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order, which is the order of the help."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None where there is none of this name."""
        entry = self._table.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.location.partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the nearest there is."""
        if args and args[0] not in self._table and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415

            nearest = get_close_matches(args[0], self._table, n=1)
            meant = f"; did you mean {nearest[0]}?" if nearest else ""
            raise click.UsageError(f"there is no command {args[0]!r}{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help's list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._table.items()])
