"""A click group that says what is wrong with a command line in one line."""

from collections.abc import Sequence
from itertools import pairwise

import click


class CommandGroup(click.Group):
    """A group that names its commands where none is given, and the nearest one where there is none of that name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the group's own options; no command at all is wrong usage, where one is needed."""
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            *names, last = self.list_commands(ctx)
            raise click.UsageError(f"{ctx.info_name} needs a command: {', '.join(names)} or {last}", ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one, or one whose option lacks its value, is wrong usage."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415

            nearest = get_close_matches(args[0], names, n=1)
            meant = f"; did you mean {nearest[0]}?" if nearest else ""
            raise click.UsageError(f"there is no command {args[0]!r}{meant}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            _refuse_missing_values(command, rest, click.Context(command, parent=ctx, info_name=name))
        return name, command, rest


def _refuse_missing_values(command: click.Command, arguments: Sequence[str], ctx: click.Context) -> None:
    """Refuse an option at the end of the line, and one that would take the name of the next as its value."""
    takes_value = {
        name: isinstance(parameter, click.Option) and not parameter.is_flag and not parameter.count
        for parameter in command.get_params(ctx)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    }
    for word, following in pairwise((*arguments, None)):
        if word == "--":
            return
        if word is not None and takes_value.get(word) and (following is None or following in takes_value):
            follows = f", but {following} follows it" if following is not None else ""
            raise click.UsageError(f"{word} needs a value{follows}", ctx)
